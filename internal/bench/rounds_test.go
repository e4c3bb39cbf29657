package main

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRoundsAreInterleavedAndGiveMedians(t *testing.T) {
	var order string
	costs := map[string][]time.Duration{"a": {5, 900, 7}, "b": {10, 12, 11}}
	take := func(name string) side {
		return side{name, func() (time.Duration, error) {
			order += name
			cost := costs[name][0]
			costs[name] = costs[name][1:]
			return cost, nil
		}}
	}
	f, err := rounds(3, take("a"), take("b"))
	require.NoError(t, err)
	assert.Equal(t, "abbaba", order)
	assert.Equal(t, time.Duration(7), f[0].median)
	assert.Equal(t, time.Duration(11), f[1].median)
}

func TestEachSideBeginsAndFollowsEachOtherAlike(t *testing.T) {
	var order string
	take := func(name string) side {
		return side{name, func() (time.Duration, error) {
			order += name
			return 1, nil
		}}
	}
	_, err := rounds(6, take("a"), take("b"), take("c"))
	require.NoError(t, err)
	assert.Equal(t, "abcbcacabcbabacacb", order)
}

func TestReportShowsAMissedTarget(t *testing.T) {
	t.Parallel()
	a, b := figure{"ours", 84_100, 0.03}, figure{"bare", 70_200, 0.02}
	var out bytes.Buffer
	r := &report{out: &out}
	r.ratio("uncached account", a, b, 1.4)
	assert.Equal(t, "uncached account               ours 84.1 µs ±3%              bare 70.2 µs ±2%              ratio 1.20 (target 1.40)\n", out.String())
	assert.False(t, r.missed)
	r.ratio("uncached account", a, b, 1.1)
	assert.True(t, r.missed)
	assert.Contains(t, out.String(), "ratio 1.20 (target 1.10) MISSED\n")
}

func TestReportTurnsASmallRatioRound(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := &report{out: &out}
	r.faster("a fleet", figure{"ours", 100, 0}, figure{"loop", 30_000, 0}, 300)
	assert.Contains(t, out.String(), "300 times as fast (target 300)\n")
	assert.False(t, r.missed)
	r.faster("a fleet", figure{"ours", 101, 0}, figure{"loop", 30_000, 0}, 300)
	assert.True(t, r.missed)
	assert.Contains(t, out.String(), "297 times as fast (target 300) MISSED\n")
}

func TestWhatIsCountedMustBeWhatIsDocumented(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := &report{out: &out}
	r.same("number moved", "4 changes", "4 changes")
	r.atMost("tenants", "requests at once", 8, 8)
	assert.False(t, r.missed)
	assert.NotContains(t, out.String(), "MISSED")
	r.same("number moved", "3 changes", "4 changes")
	assert.True(t, r.missed)
	assert.Contains(t, out.String(), "3 changes                     documented: 4 changes MISSED\n")
}

func TestReportShowsABoundThatWasBroken(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	r := &report{out: &out}
	r.atMost("tenants", "requests at once", 9, 8)
	assert.True(t, r.missed)
	assert.Contains(t, out.String(), "requests at once: 9           at most 8 MISSED\n")
}

func TestBothTimesAreOfTheWorkAlone(t *testing.T) {
	var order string
	do := func(letter string) func() error {
		return func() error { order += letter; return nil }
	}
	spin := func() error {
		start := cpuTime()
		for cpuTime()-start < 20*time.Millisecond {
			runtime.Gosched()
		}
		return nil
	}
	wall, cpu, err := bothTimes(3, work{"idle", spin, do("i")}, work{"busy", do("p"), spin})
	require.NoError(t, err)
	assert.Equal(t, "ippipi", order)
	assert.Less(t, cpu[0].median, 20*time.Millisecond)
	assert.GreaterOrEqual(t, wall[1].median, 10*time.Millisecond) // two cores may have spun
	assert.GreaterOrEqual(t, cpu[1].median, 20*time.Millisecond)
}

func TestDurationsHaveThreeDigits(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		84: "84 ns", 999: "999 ns", 1000: "1.00 µs", 84_123: "84.1 µs", 999_600: "1.00 ms", 123_456_789: "123 ms", 61_250_000_000: "61.2 s",
	} {
		assert.Equal(t, want, short(d))
	}
}
