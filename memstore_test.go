package twilioacct_test

import (
	"testing"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/storetest"
)

func TestMemStoreIsAStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(_ testing.TB, seed ...twilioacct.Record) twilioacct.Store {
		return twilioacct.NewMemStore(seed...)
	})
}

func TestMakingMemStoreIsAStore(t *testing.T) {
	t.Parallel()
	storetest.RunMaking(t, func(_ testing.TB, seed ...twilioacct.Record) twilioacct.Store {
		return twilioacct.NewMemStore(seed...).Making()
	})
}
