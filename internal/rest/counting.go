package rest

import (
	"context"
	"sync/atomic"
)

type counter struct{}

// Counting returns a context under which every request that is sent adds one to n: each repeat, and what a signer asks, too. Of such
// contexts within each other the innermost counts.
func Counting(ctx context.Context, n *atomic.Int64) context.Context {
	return context.WithValue(ctx, counter{}, n)
}

func count(ctx context.Context) {
	if n, ok := ctx.Value(counter{}).(*atomic.Int64); ok {
		n.Add(1)
	}
}
