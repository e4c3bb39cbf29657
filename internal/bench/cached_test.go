package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCachedAccountAllocatesNothing(t *testing.T) {
	c, err := newCache(t.Context(), 1000)
	require.NoError(t, err)
	defer c.fake.Close()
	once := c.ours(t.Context())
	allocs := testing.AllocsPerRun(100, func() { err = once(1000) })
	require.NoError(t, err)
	assert.Zero(t, allocs, "allocations of 1000 cached accounts")
	assert.Equal(t, 1000, c.fake.Count("FetchAccount"), "requests: those that filled the cache")
}
