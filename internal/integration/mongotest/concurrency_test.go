package mongotest_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const workers = 16

// together runs one function in all workers at once.
func together(work func(worker int)) {
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range workers {
		all.Go(func() {
			<-begin
			work(i)
		})
	}
	close(begin)
	all.Wait()
}

func TestCompareAndSetLosesNoUpdate(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	insert(t, c, bson.M{"_id": 1, "version": 0})
	var succeeded atomic.Int64
	together(func(int) {
		for range 10 {
			var d struct{ Version int }
			if !assert.NoError(t, c.FindOne(ctx, bson.M{"_id": 1}).Decode(&d)) {
				return
			}
			res, err := c.UpdateOne(ctx, bson.M{"_id": 1, "version": d.Version}, set("version", d.Version+1))
			assert.NoError(t, err)
			succeeded.Add(res.ModifiedCount)
		}
	})
	require.Positive(t, succeeded.Load())
	require.Equal(t, 1, count(t, c, bson.M{"version": succeeded.Load()}))
}

func TestALeaseHasOneWinner(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	for round := range 10 {
		insert(t, c, bson.M{"_id": round, "lease_until": time.Time{}, "fence": 0})
		var winners atomic.Int64
		together(func(worker int) {
			now := time.Now()
			err := c.FindOneAndUpdate(ctx, bson.M{"_id": round, "lease_until": bson.M{"$lt": now}}, bson.M{
				"$set": bson.M{"owner": worker, "lease_until": now.Add(time.Minute)}, "$inc": bson.M{"fence": 1},
			}, options.FindOneAndUpdate().SetReturnDocument(options.After)).Err()
			switch {
			case err == nil:
				winners.Add(1)
			case !errors.Is(err, mongo.ErrNoDocuments):
				assert.NoError(t, err)
			}
		})
		require.EqualValues(t, 1, winners.Load())
		require.Equal(t, 1, count(t, c, bson.M{"_id": round, "fence": 1}))
	}
}

func TestAClaimHasOneWinner(t *testing.T) {
	t.Parallel()
	c, ctx := collection(t)
	uniqueSID(t, c)
	var winners atomic.Int64
	together(func(worker int) {
		_, err := c.InsertOne(ctx, account(worker, "AC1"))
		if err == nil {
			winners.Add(1)
		} else {
			assert.True(t, mongo.IsDuplicateKeyError(err))
		}
	})
	require.EqualValues(t, 1, winners.Load())
}

func TestConcurrentUpsertsMakeOneDocument(t *testing.T) {
	t.Parallel()
	_, c, ctx := start(t)
	uniqueSID(t, c)
	together(func(int) {
		_, err := c.UpdateOne(ctx, bson.M{"account.sid": "AC1"}, increment, options.UpdateOne().SetUpsert(true))
		assert.NoError(t, err)
	})
	require.Equal(t, 1, count(t, c, bson.M{}))
	require.Equal(t, 1, count(t, c, bson.M{"n": workers}))
}
