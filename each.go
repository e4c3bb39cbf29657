package twilioacct

import (
	"context"
	"sync"
)

// eachOf does that with each item, some at once, and returns the errors.
func eachOf[T any](ctx context.Context, items []T, atOnce int, do func(context.Context, T) error) []error {
	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		errs    []error
	)
	left := make(chan T)
	for range min(atOnce, len(items)) {
		workers.Go(func() {
			for item := range left {
				if err := do(ctx, item); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
				}
			}
		})
	}
	for _, item := range items {
		left <- item
	}
	close(left)
	workers.Wait()
	return errs
}
