package storage_test

import (
	"cmp"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
)

// copies are documents of one SID, each with an _id, a revision and a status.
func copyOf(id string, rev int64, status string) bson.D {
	return append(bson.D{{Key: "_id", Value: id}}, account(bson.E{Key: "sid", Value: sid1},
		bson.E{Key: "authToken", Value: "token-of-" + id}, bson.E{Key: "status", Value: status}, bson.E{Key: "rev", Value: rev})...)
}

func TestTheRecordOfSeveralDocumentsIsTheNewest(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, copyOf("c", 5, "newest, but not the first"), copyOf("a", 3, "old"), copyOf("b", 5, "newest"))
	r, err := store.Load(t.Context(), sid1)
	require.NoError(t, err)
	assert.Equal(t, 3, r.Copies)
	assert.EqualValues(t, 5, r.Rev)
	assert.Equal(t, twilioacct.Status("newest"), r.Status)
	assert.Equal(t, "token-of-b", r.AuthToken.Reveal())
}

func TestASaveWritesEveryCopyUnderOneNewRevision(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, copyOf("a", 3, "old"), copyOf("b", 5, "newest"), copyOf("c", 0, "ancient"), held(sid2, 1))
	r, err := store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 5, Status: "closed"})
	require.NoError(t, err)
	assert.Equal(t, 3, r.Copies)
	assert.EqualValues(t, 6, r.Rev)
	for _, id := range []string{"a", "b", "c"} {
		ours := raw(t, coll, by("_id", id)).Lookup("twilio_account").Document()
		assert.Equal(t, "closed", ours.Lookup("status").StringValue())
		assert.EqualValues(t, 6, ours.Lookup("rev").AsInt64())
		assert.Equal(t, "token-of-b", ours.Lookup("authToken").StringValue(), "an older copy becomes like the newest")
	}
	_, err = store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 3, Status: "active"})
	require.ErrorIs(t, err, twilioacct.ErrStale)
}

func TestACopyThatIsOnlyOlderIsNotWrittenAgainAndAgain(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	insert(t, coll, account(bson.E{Key: "sid", Value: sid1}, bson.E{Key: "status", Value: "active"}), account(
		bson.E{Key: "sid", Value: sid1}, bson.E{Key: "status", Value: "active"}, bson.E{Key: "rev", Value: 4}))
	r, err := store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 4, Status: "active"})
	require.NoError(t, err)
	assert.EqualValues(t, 4, r.Rev)
	assert.Zero(t, server.Seen("update"))
}

func TestWhatWasRemovedDoesNotComeBackFromAnOlderCopy(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, copyOf("a", 3, "old"), account(bson.E{Key: "sid", Value: sid1}, bson.E{Key: "rev", Value: 4}))
	r, err := store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 4, Tenant: "acme"})
	require.NoError(t, err)
	assert.True(t, r.AuthToken.IsZero())
	r, err = store.Load(t.Context(), sid1) // of equal revisions, that of "a" now
	require.NoError(t, err)
	assert.Equal(t, twilioacct.Record{SID: sid1, Tenant: "acme", Rev: 5, Copies: 2}, r)
}

func TestACopyThatCouldNotBeWrittenIsMendedByTheNextSave(t *testing.T) {
	t.Parallel()
	server, coll, store := onEmbedded(t, nil)
	insert(t, coll, copyOf("a", 1, "active"), copyOf("b", 1, "active"))
	server.Inject(mongotest.Fault{Command: "update", Nth: 2, Code: 13})
	change := twilioacct.Record{SID: sid1, Rev: 1, Status: "closed", AuthToken: secret(token)}
	_, err := store.Save(t.Context(), change)
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	require.NotErrorIs(t, err, twilioacct.ErrStale)

	r, err := store.Load(t.Context(), sid1)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.Status("closed"), r.Status)
	change.Rev = r.Rev
	r, err = store.Save(t.Context(), change)
	require.NoError(t, err)
	assert.EqualValues(t, 3, r.Rev)
	assert.Equal(t, "closed", raw(t, coll, by("_id", "b")).Lookup("twilio_account", "status").StringValue())
}

func TestNoUpdateOfSeveralDocumentsIsLost(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, copyOf("a", 0, "0"), copyOf("b", 0, "0"), copyOf("c", 0, "0"))
	const writers, each = 8, 5
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for done := 0; done < each; {
				r, err := store.Load(t.Context(), sid1)
				if !assert.NoError(t, err) {
					return
				}
				n, err := strconv.Atoi(string(r.Status))
				if !assert.NoError(t, err) {
					return
				}
				_, err = store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: r.Rev, Status: twilioacct.Status(strconv.Itoa(n + 1))})
				if err == nil {
					done++
				} else if !assert.ErrorIs(t, err, twilioacct.ErrStale) {
					return
				}
			}
		})
	}
	all.Wait()
	for _, id := range []string{"a", "b", "c"} {
		assert.Equal(t, strconv.Itoa(writers*each), raw(t, coll, by("_id", id)).Lookup("twilio_account", "status").StringValue())
	}
}

func TestABatchMayWriteOneCopyAndASaveBringsTheOthersAfter(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, copyOf("a", 2, "active"), copyOf("b", 2, "active"), held(sid2, 1))
	failures, err := store.SaveBatch(t.Context(), []twilioacct.Record{
		{SID: sid1, Rev: 2, Status: "closed"}, {SID: sid2, Rev: 1, Status: "closed"},
	})
	require.NoError(t, err)
	assert.Empty(t, failures)
	r, err := store.Load(t.Context(), sid1)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.Status("closed"), r.Status)
	assert.EqualValues(t, 3, r.Rev)
	_, err = store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: r.Rev, Status: "closed"})
	require.NoError(t, err)
	for _, id := range []string{"a", "b"} {
		assert.Equal(t, "closed", raw(t, coll, by("_id", id)).Lookup("twilio_account", "status").StringValue())
	}
}

func TestABatchReadsTheNewestOfSeveralDocuments(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	insert(t, coll, copyOf("a", 5, "closed"), copyOf("b", 6, "active"), held(sid2, 1))
	stale := twilioacct.Record{SID: sid1, Rev: 4, Status: "closed"} // an old copy is as if it had been saved
	failures, err := store.SaveBatch(t.Context(), []twilioacct.Record{stale, {SID: sid2, Rev: 1, Status: "closed"}})
	require.NoError(t, err)
	assert.Equal(t, []twilioacct.SaveFailure{{SID: sid1, Err: twilioacct.ErrStale}}, failures)
	r, err := store.Load(t.Context(), sid1)
	require.NoError(t, err)
	assert.Equal(t, twilioacct.StatusActive, r.Status)
	assert.EqualValues(t, 6, r.Rev)
}

func TestSoManyCopiesThatNotAllAreReadAreSavedOneByOne(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	var copies []bson.D
	for range 110 {
		copies = append(copies, held(sid1, 1))
	}
	insert(t, coll, copies...)
	insert(t, coll, held(sid2, 1))
	failures, err := store.SaveBatch(t.Context(), []twilioacct.Record{{SID: sid1, Rev: 7, Status: "closed"}, {SID: sid2, Rev: 1, Status: "closed"}})
	require.NoError(t, err)
	require.Len(t, failures, 1)
	assert.Equal(t, sid1, failures[0].SID)
	require.ErrorContains(t, failures[0].Err, "more than 100 documents")
	r, err := store.Load(t.Context(), sid2)
	require.NoError(t, err)
	assert.EqualValues(t, 2, r.Rev)
}

func TestAHundredCopiesAreAMistakeAndMoreAreRefused(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, nil)
	var all []bson.D
	for range 100 {
		all = append(all, held(sid1, 1))
	}
	insert(t, coll, all...)
	r, err := store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 1, Status: "closed"})
	require.NoError(t, err)
	assert.Equal(t, 100, r.Copies)
	insert(t, coll, held(sid1, 1))
	_, err = store.Load(t.Context(), sid1)
	require.ErrorContains(t, err, "twilio_account.sid")
	_, err = store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 2, Status: "active"})
	require.Error(t, err)
}

func TestATenantsRecordIsReadFromItsNewestDocument(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, &mongostore.Options{Paths: mongostore.Paths{Tenant: "customer"}})
	insert(t, coll, append(held(sid1, 1), bson.E{Key: "customer", Value: "before"}), append(held(sid1, 2), bson.E{Key: "customer", Value: "now"}))
	_, err := store.LoadTenant(t.Context(), "before")
	require.ErrorIs(t, err, twilioacct.ErrNoRecord)
	r, err := store.LoadTenant(t.Context(), "now")
	require.NoError(t, err)
	assert.Equal(t, 2, r.Copies)
}

func TestWhatOnlyACopyHasIsNeverErasedByASaveThatRemovesNothing(t *testing.T) {
	t.Parallel()
	rich := func(fields ...bson.E) bson.D {
		return append(bson.D{{Key: "_id", Value: "b"}}, account(append(fields, bson.E{Key: "sid", Value: sid1},
			bson.E{Key: "authToken", Value: token}, bson.E{Key: "tenant", Value: "acme"})...)...)
	}
	for name, poor := range map[string]bson.D{
		"a copy of before beside a newer one": append(bson.D{{Key: "_id", Value: "a"}}, held(sid1, 7)...),
		"two copies of before":                append(bson.D{{Key: "_id", Value: "a"}}, account(bson.E{Key: "sid", Value: sid1})...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, coll, store := onEmbedded(t, nil)
			insert(t, coll, poor, rich())
			for _, status := range []twilioacct.Status{"active", "suspended", "closed"} {
				// The write of the copy fails once, and the next Save has to mend it.
				server.Inject(mongotest.Fault{Command: "update", Nth: 2, Code: 13})
				for range 2 {
					r, err := store.Load(t.Context(), sid1)
					require.NoError(t, err)
					_, _ = store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: r.Rev, Status: status})
				}
				b := raw(t, coll, by("_id", "b")).Lookup("twilio_account").Document()
				assert.Equal(t, token, b.Lookup("authToken").StringValue())
				assert.Equal(t, "acme", b.Lookup("tenant").StringValue())
			}
		})
	}
}

func TestACopyThatCannotBeWrittenHidesNeitherTheRecordNorTheOthers(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, &mongostore.Options{Paths: mongostore.Paths{AuthToken: "secrets.twilio"}})
	of := func(id string, more ...bson.E) bson.D {
		return append(append(bson.D{{Key: "_id", Value: id}}, held(sid1, 1)...), more...)
	}
	insert(t, coll, of("a"), of("b", bson.E{Key: "secrets", Value: "text"}), of("c"))
	_, err := store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 1, AuthToken: secret(token)})
	require.ErrorIs(t, err, twilioacct.ErrOutcomeUnknown)
	var e *mongostore.DocumentError
	require.ErrorAs(t, err, &e)
	assert.Equal(t, "b", e.ID)
	for _, id := range []string{"a", "c"} {
		assert.Equal(t, token, raw(t, coll, by("_id", id)).Lookup("secrets", "twilio").StringValue())
	}
}

// oddCopies are documents that hold sid1, cannot be read and stand in the way of a healthy one, which is inserted after them.
func oddCopies() map[string]bson.D {
	copies := oddDocuments()
	for name, odd := range copies {
		copies[name] = append(bson.D{{Key: "_id", Value: "odd-1"}}, odd...)
	}
	return copies
}

func TestACopyThatCannotBeReadIsCountedAndLeftAsItIsAndTheOthersAreSaved(t *testing.T) {
	t.Parallel()
	for name, odd := range oddCopies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coll := mongotest.Collection(t)
			store := open(t, coll, upsert)
			insert(t, coll, odd, copyOf("a", 5, "active"), copyOf("b", 3, "active"), held(sid2, 1))
			before := raw(t, coll, by("_id", "odd-1"))

			r, err := store.Load(t.Context(), sid1)
			require.NoError(t, err)
			assert.Equal(t, twilioacct.Record{SID: sid1, AuthToken: secret("token-of-a"), Status: "active", Rev: 5, Copies: 3}, r)
			r, err = store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 5, Status: "closed", Remove: []twilioacct.Field{twilioacct.FieldAuthToken}})
			require.NoError(t, err)
			assert.Equal(t, twilioacct.Record{SID: sid1, Status: "closed", Rev: 6, Copies: 3}, r)
			loaded, err := store.Load(t.Context(), sid1)
			require.NoError(t, err)
			assert.Equal(t, r, loaded)
			_, err = store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 5, Status: "active"})
			require.ErrorIs(t, err, twilioacct.ErrStale)

			assert.Equal(t, 2, closed(t, coll))
			assert.Equal(t, before, raw(t, coll, by("_id", "odd-1")))
		})
	}
}

func TestABatchWritesWhatCanBeReadBesideACopyThatCannot(t *testing.T) {
	t.Parallel()
	for name, odd := range oddCopies() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coll := mongotest.Collection(t) // without an index, so that it is read first
			store := open(t, coll, upsert)
			insert(t, coll, odd, copyOf("a", 5, "active"), held(sid2, 1))
			before := raw(t, coll, by("_id", "odd-1"))
			failures, err := store.SaveBatch(t.Context(), []twilioacct.Record{{SID: sid1, Rev: 5, Status: "closed"}, {SID: sid2, Rev: 1, Status: "closed"}})
			require.NoError(t, err)
			assert.Empty(t, failures)
			assert.Equal(t, 2, closed(t, coll))
			failures, err = store.SaveBatch(t.Context(), []twilioacct.Record{{SID: sid1, Rev: 4, Status: "active"}})
			require.NoError(t, err)
			assert.Equal(t, []twilioacct.SaveFailure{{SID: sid1, Err: twilioacct.ErrStale}}, failures)
			assert.Equal(t, before, raw(t, coll, by("_id", "odd-1")))
		})
	}
}

// Each of these is what an update by the SID finds first, and is refused.
func TestARefusalOfACopyThatCannotBeReadIsNoneOfTheOther(t *testing.T) {
	t.Parallel()
	record := twilioacct.Record{SID: sid1, Status: "closed", APIKeys: map[string]twilioacct.APIKey{"voice": {SID: key1, Secret: secret("s")}}}
	for _, name := range []string{"an array of accounts", "API keys in an array", "API keys that are a string", "an API key that is a string"} {
		for _, copies := range [][]bson.D{{held(sid1, 0)}, {held(sid1, 0), held(sid1, 0)}} {
			t.Run(fmt.Sprint(name, " beside ", len(copies)), func(t *testing.T) {
				t.Parallel()
				coll := mongotest.Collection(t)
				index(t, coll)
				insert(t, coll, oddCopies()[name])
				insert(t, coll, copies...)
				before := raw(t, coll, by("_id", "odd-1"))
				failures, err := open(t, coll, nil).SaveBatch(t.Context(), []twilioacct.Record{record})
				require.NoError(t, err)
				assert.Empty(t, failures)
				assert.Equal(t, len(copies), closed(t, coll))
				assert.Equal(t, before, raw(t, coll, by("_id", "odd-1")))
			})
		}
	}
}

func TestARefusalOfOneOfSeveralCopiesNamesTheOneThatIsRefused(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	index(t, coll)
	store := open(t, coll, &mongostore.Options{Paths: mongostore.Paths{AuthToken: "secrets.twilio"}})
	insert(t, coll, append(bson.D{{Key: "_id", Value: "b"}, {Key: "secrets", Value: "text"}}, held(sid1, 1)...),
		append(bson.D{{Key: "_id", Value: "a"}}, held(sid1, 1)...))
	failures, err := store.SaveBatch(t.Context(), []twilioacct.Record{{SID: sid1, Rev: 1, AuthToken: secret(token)}})
	require.ErrorIs(t, cmp.Or(err, failureOf(failures, sid1)), twilioacct.ErrOutcomeUnknown)
	var odd *mongostore.DocumentError
	require.ErrorAs(t, cmp.Or(err, failureOf(failures, sid1)), &odd)
	assert.Equal(t, "b", odd.ID)
	assert.Equal(t, token, raw(t, coll, by("_id", "a")).Lookup("secrets", "twilio").StringValue())
}

func TestACopyThatCannotBeReadAnyMoreDuringASaveIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	server, coll, _ := onEmbedded(t, nil)
	insert(t, coll, copyOf("a", 1, "active"), copyOf("b", 1, "active"))
	var spoilt bson.Raw
	store := open(t, before(t, server, coll, "update", func() {
		_, err := coll.UpdateByID(t.Context(), "b", by("$set", bson.D{
			{Key: "twilio_account.status", Value: bson.A{"active"}}, {Key: "twilio_account.rev", Value: 2},
		}))
		assert.NoError(t, err)
		spoilt = raw(t, coll, by("_id", "b"))
	}), nil)
	r, err := store.Save(t.Context(), twilioacct.Record{SID: sid1, Rev: 1, Status: "closed"})
	require.NoError(t, err)
	assert.EqualValues(t, 2, r.Rev)
	assert.Equal(t, "closed", raw(t, coll, by("_id", "a")).Lookup("twilio_account", "status").StringValue())
	assert.Equal(t, spoilt, raw(t, coll, by("_id", "b")))
}

func TestATenantsRecordIsReadBesideACopyThatCannotBeRead(t *testing.T) {
	t.Parallel()
	odd := func(sid any) bson.D {
		return append(bson.D{{Key: "_id", Value: "odd-1"}}, account(bson.E{Key: "sid", Value: sid},
			bson.E{Key: "tenant", Value: "acme"}, bson.E{Key: "status", Value: bson.A{"active"}})...)
	}
	healthy := account(bson.E{Key: "sid", Value: sid1}, bson.E{Key: "tenant", Value: "acme"})
	for name, c := range map[string]struct {
		odd       bson.D
		isAllowed bool
	}{
		"of the same account":                  {odd(sid1), true},
		"of another account":                   {odd(sid2), false},
		"of nobody knows which":                {odd("AC1"), false},
		"of several":                           {odd(bson.A{sid1, sid2}), false},
		"of the same account, and it has none": {append(by("_id", "odd-1"), account(bson.E{Key: "sid", Value: sid1}, bson.E{Key: "rev", Value: "7"})...), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			coll := mongotest.Collection(t)
			insert(t, coll, c.odd, healthy)
			r, err := open(t, coll, nil).LoadTenant(t.Context(), "acme")
			if !c.isAllowed {
				assertOdd(t, err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, twilioacct.Record{SID: sid1, Tenant: "acme", Copies: 2}, r)
		})
	}
}

func failureOf(failures []twilioacct.SaveFailure, sid string) error {
	for _, f := range failures {
		if f.SID == sid {
			return f.Err
		}
	}
	return nil
}

func TestAnOldCopyMakesNoTenantAmbiguous(t *testing.T) {
	t.Parallel()
	coll := mongotest.Collection(t)
	store := open(t, coll, &mongostore.Options{Paths: mongostore.Paths{Tenant: "customer"}})
	insert(t, coll, append(held(sid1, 1), bson.E{Key: "customer", Value: "acme"}),
		append(held(sid1, 2), bson.E{Key: "customer", Value: "other"}),
		append(held(sid2, 1), bson.E{Key: "customer", Value: "acme"}))
	r, err := store.LoadTenant(t.Context(), "acme")
	require.NoError(t, err)
	assert.Equal(t, sid2, r.SID)
}
