package twilioacct_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

func TestAMemStoreWithoutAContextOrMadeByItselfDoesNotPanic(t *testing.T) {
	t.Parallel()
	var none context.Context
	store := new(twilioacct.MemStore).Making()
	_, err := store.Load(none, unknownSID)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	_, err = store.Save(none, twilioacct.Record{SID: unknownSID})
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	_, err = store.Save(t.Context(), twilioacct.Record{SID: unknownSID})
	require.NoError(t, err)
	_, err = store.Claim(t.Context(), "key", "owner", time.Second)
	require.NoError(t, err)
}
