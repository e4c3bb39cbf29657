package main

import (
	"bytes"
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
	assert.Equal(t, "abbaab", order)
	assert.Equal(t, time.Duration(7), f[0].median)
	assert.Equal(t, time.Duration(11), f[1].median)
}

func TestReportShowsAMissedTarget(t *testing.T) {
	t.Parallel()
	a, b := figure{"ours", 84_100, 0.03}, figure{"bare", 70_200, 0.02}
	var out bytes.Buffer
	r := &report{out: &out}
	r.ratio("uncached account", a, b, 1.4)
	assert.Equal(t, "uncached account            ours 84.1 µs ±3%              bare 70.2 µs ±2%              ratio 1.20 (target 1.40)\n", out.String())
	assert.False(t, r.missed)
	r.ratio("uncached account", a, b, 1.1)
	assert.True(t, r.missed)
	assert.Contains(t, out.String(), "ratio 1.20 (target 1.10) MISSED\n")
}

func TestDurationsHaveThreeDigits(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		84: "84 ns", 999: "999 ns", 1000: "1.00 µs", 84_123: "84.1 µs", 999_600: "1.00 ms", 123_456_789: "123 ms", 61_250_000_000: "61.2 s",
	} {
		assert.Equal(t, want, short(d))
	}
}
