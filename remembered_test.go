package twilioacct

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAFindingThatBeganBeforeAChangeIsNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newRemembered[string](time.Minute, 16)
		old := make(chan string, 1)
		go func() {
			v, _ := m.get(t.Context(), "k", func(context.Context, string) (string, error) {
				time.Sleep(2 * time.Second)
				return "old", nil
			})
			old <- v
		}()
		time.Sleep(time.Second)
		m.drop("k")
		v, err := m.get(t.Context(), "k", func(context.Context, string) (string, error) { return "new", nil })
		require.NoError(t, err)
		assert.Equal(t, "new", v, "nobody joins a finding that began before the change")
		assert.Equal(t, "old", <-old)
		v, err = m.get(t.Context(), "k", nil)
		require.NoError(t, err)
		assert.Equal(t, "new", v)
	})
}

func TestTheLeastUsedGoesWhenThereIsNoRoom(t *testing.T) {
	t.Parallel()
	m := newRemembered[int](0, 64)
	used, kept := 1, 0
	for i := range 10_000 {
		m.put(string(rune(i)), i, m.now())
		_, ok := m.values.get(string(rune(used)))
		assert.True(t, ok || i < used, "what is used stays")
	}
	for i := range 10_000 {
		if _, ok := m.values.get(string(rune(i))); ok {
			kept++
		}
	}
	assert.LessOrEqual(t, kept, 64)
}

func TestAPanicOfAFindingReachesItsCaller(t *testing.T) {
	t.Parallel()
	m := newRemembered[int](0, 16)
	assert.Panics(t, func() {
		_, _ = m.get(t.Context(), "k", func(context.Context, string) (int, error) { panic("oops") })
	})
	v, err := m.get(t.Context(), "k", func(context.Context, string) (int, error) { return 1, nil })
	require.NoError(t, err)
	assert.Equal(t, 1, v)
}

func TestAMemoryThatIsOffFindsEachTime(t *testing.T) {
	t.Parallel()
	m := newRemembered[int](-1, 16)
	n := 0
	find := func(context.Context, string) (int, error) { n++; return n, nil }
	m.put("k", 7, m.now())
	for want := 1; want < 4; want++ {
		v, err := m.get(t.Context(), "k", find)
		require.NoError(t, err)
		assert.Equal(t, want, v)
	}
}

func TestAFindingThatFailsIsTriedByTheNext(t *testing.T) {
	t.Parallel()
	m := newRemembered[int](0, 16)
	oops := errors.New("oops")
	_, err := m.get(t.Context(), "k", func(context.Context, string) (int, error) { return 0, oops })
	require.ErrorIs(t, err, oops)
	v, err := m.get(t.Context(), "k", func(context.Context, string) (int, error) { return 2, nil })
	require.NoError(t, err)
	assert.Equal(t, 2, v)
}
