package main

import (
	"context"
	"errors"
	"maps"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
)

// plainMap is a plainStore of tokens by SID; all accounts are active.
type plainMap map[string]string

func (m plainMap) scan(_ context.Context, see func(plainAccount)) error {
	for sid, token := range m {
		see(plainAccount{[]byte(sid), []byte(token), []byte("active")})
	}
	return nil
}

func (m plainMap) write(_ context.Context, differ []plainAccount) (found int, err error) {
	for _, a := range differ {
		if _, isThere := m[string(a.sid)]; isThere {
			m[string(a.sid)] = string(a.token)
			found++
		}
	}
	return found, nil
}

// Whoever writes less is faster: both sides must leave the same.
func TestTheLimitLeavesTheSameTokensAsOurs(t *testing.T) {
	t.Parallel()
	const fleet = 3 * pageSize
	twilio, err := newTwilio(fleet)
	require.NoError(t, err)
	defer twilio.Close()
	kept := tokens(t, twilio)
	var records []twilioacct.Record
	for sid, token := range kept {
		records = append(records, twilioacct.Record{SID: sid, AuthToken: twilioacct.NewSecret(token), Status: twilioacct.StatusActive, Rev: 1})
	}
	store := twilioacct.NewMemStore(records...)
	provider, err := ours(twilio, twilioacct.Options{Store: store})
	require.NoError(t, err)
	limit := &limit{newPager(twilio), plainMap(kept)}

	for _, c := range []changes{allChanged, {"1 %", 100}, {"none", 0}} {
		require.NoError(t, c.happen(t.Context(), twilio))
		report, err := provider.SyncAll(t.Context(), nil)
		require.NoError(t, err)
		require.NoError(t, judge(report, fleet, c.of(fleet)))
		written, err := limit.sync(t.Context())
		require.NoError(t, err)
		assert.Equal(t, c.of(fleet), written)

		atTwilio := tokens(t, twilio)
		assert.True(t, maps.Equal(atTwilio, kept), "the limit's tokens are Twilio's")
		for sid, token := range atTwilio {
			record, err := store.Load(t.Context(), sid)
			require.NoError(t, err)
			require.Equal(t, token, record.AuthToken.Reveal())
		}
	}
}

// lateMap has its documents read when the first page is there.
type lateMap struct {
	plainMap

	twilio *twilio
}

func (m lateMap) scan(ctx context.Context, see func(plainAccount)) error {
	for {
		c, err := m.twilio.counted(ctx)
		if err != nil {
			return err
		}
		if c.Requests == 1 {
			return m.plainMap.scan(ctx, see)
		}
	}
}

func TestTheLimitComparesNothingBeforeAllDocumentsAreRead(t *testing.T) {
	t.Parallel()
	twilio, err := newTwilio(3 * pageSize)
	require.NoError(t, err)
	defer twilio.Close()
	kept := tokens(t, twilio)
	require.NoError(t, twilio.become(t.Context(), conditions{}))
	written, err := (&limit{newPager(twilio), lateMap{kept, twilio}}).sync(t.Context())
	require.NoError(t, err)
	assert.Zero(t, written)
}

func TestTheLimitWritesNoAccountWithoutADocument(t *testing.T) {
	t.Parallel()
	twilio, err := newTwilio(pageSize)
	require.NoError(t, err)
	defer twilio.Close()
	kept := plainMap{twilio.Subaccount: "an old token"}
	written, err := (&limit{newPager(twilio), kept}).sync(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, written)
	assert.Equal(t, plainMap{twilio.Subaccount: tokens(t, twilio)[twilio.Subaccount]}, kept)
}

// brokenStore fails at one of its two works.
type brokenStore struct{ scanFails bool }

var errBroken = errors.New("broken")

func (b brokenStore) scan(context.Context, func(plainAccount)) error {
	if b.scanFails {
		return errBroken
	}
	return nil
}

func (b brokenStore) write(ctx context.Context, _ []plainAccount) (int, error) {
	if b.scanFails {
		return 0, ctx.Err()
	}
	return 0, errBroken
}

func TestTheLimitEndsAtTheFirstError(t *testing.T) {
	t.Parallel()
	twilio, err := newTwilio(100 * pageSize) // more pages than can wait
	require.NoError(t, err)
	defer twilio.Close()
	for _, store := range []brokenStore{{scanFails: true}, {scanFails: false}} {
		_, err := (&limit{newPager(twilio), store}).sync(t.Context())
		assert.ErrorIs(t, err, errBroken)
	}
}

func TestAllSidesLeaveTheSameDocuments(t *testing.T) {
	if os.Getenv(mongoVariable) == "" {
		t.Skip(errNoMongo)
	}
	ctx := t.Context()
	s, err := newStage(ctx, pageSize)
	require.NoError(t, err)
	defer s.close(context.WithoutCancel(ctx))
	accounts, err := s.database.accounts()
	require.NoError(t, err)
	documents := func() map[string]bson.M {
		cursor, err := accounts.Find(ctx, bson.D{})
		require.NoError(t, err)
		var all []bson.M
		require.NoError(t, cursor.All(ctx, &all))
		bySID := map[string]bson.M{}
		for _, d := range all {
			account, _ := d["twilio_account"].(bson.D)
			delete(d, "twilio_account")
			for _, field := range account {
				if field.Key != "rev" { // the others know no revision
					d["twilio_account."+field.Key] = field.Value
				}
			}
			sid, _ := d["twilio_account.sid"].(string)
			bySID[sid] = d
		}
		return bySID
	}

	ours, err := s.ours(ctx)
	require.NoError(t, err)
	limit, err := s.limit(ctx, asOurs)
	require.NoError(t, err)
	loop := oneByOne{stock(s.twilio), accounts}
	sides := map[string]func() error{
		"ours":  func() error { return ours(pageSize) },
		"limit": func() error { return limit(pageSize) },
		"loop":  func() error { return loop.sync(ctx, pageSize) },
	}
	wanted := documents()
	for name, sync := range sides {
		require.NoError(t, s.twilio.changeTokens(ctx, 1))
		require.NoError(t, sync(), name)
		for sid, token := range tokens(t, s.twilio) {
			require.NotEqual(t, token, wanted[sid]["twilio_account.authToken"])
			wanted[sid]["twilio_account.authToken"] = token
		}
		require.Equal(t, wanted, documents(), name)
	}
	assert.NoError(t, ours(0), "nothing differs")
	assert.NoError(t, limit(0), "nothing differs")
}
