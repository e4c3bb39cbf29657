package mongostore

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
)

// leaked stands wherever the driver and the server may show a value.
const leaked = "c1ea57ex70f70ken"

func TestAWritesErrorSaysWhetherItWasAppliedAndShowsNoValue(t *testing.T) {
	t.Parallel()
	raw, err := bson.Marshal(bson.M{"errmsg": leaked, "keyPattern": bson.D{{Key: "a", Value: 1}, {Key: "b.c", Value: 1}}, "keyValue": bson.M{"a": leaked}})
	require.NoError(t, err)
	refusal := mongo.WriteError{Code: 11000, Message: "E11000 " + leaked, Raw: raw}
	concern := &mongo.WriteConcernError{Code: 64, Name: "WriteConcernTimeout", Message: leaked}
	model := mongo.NewUpdateOneModel().SetUpdate(bson.M{"token": leaked})
	for name, c := range map[string]struct {
		err     error
		unknown bool
		code    int
	}{
		"refused":                        {mongo.WriteException{WriteErrors: mongo.WriteErrors{refusal}, Raw: raw}, false, 11000},
		"refused, and not durable":       {mongo.WriteException{WriteErrors: mongo.WriteErrors{refusal}, WriteConcernError: concern}, true, 11000},
		"not durable":                    {mongo.WriteException{WriteConcernError: concern}, true, 64},
		"a bulk that is not durable":     {mongo.BulkWriteException{WriteConcernError: concern}, true, 64},
		"a bulk that says nothing":       {mongo.BulkWriteException{}, true, 0},
		"a bulk with refusals":           {mongo.BulkWriteException{WriteErrors: []mongo.BulkWriteError{{WriteError: refusal, Request: model}}}, true, 0},
		"a command refused":              {mongo.CommandError{Code: 13, Name: "Unauthorized", Message: leaked, Raw: raw}, false, 13},
		"a command that ran out of time": {mongo.CommandError{Code: 50, Name: "MaxTimeMSExpired", Message: leaked, Raw: raw}, true, 50},
		"a command met an election":      {mongo.CommandError{Code: 91, Message: leaked, Labels: []string{"RetryableWriteError"}, Raw: raw}, true, 91},
		"an answer without a code":       {mongo.CommandError{Message: leaked, Raw: raw}, true, 0},
		"a connection that broke":        {mongo.CommandError{Message: "EOF", Labels: []string{"NetworkError"}}, true, 0},
		"cancelled":                      {fmt.Errorf("x: %w", context.Canceled), true, 0},
		"a deadline":                     {fmt.Errorf("x: %w", context.DeadlineExceeded), true, 0},
		"a client that is disconnected":  {mongo.ErrClientDisconnected, false, 0},
	} {
		err := writeFailure("update", fmt.Errorf("wrapped: %w", c.err))
		assert.Equal(t, c.unknown, errors.Is(err, twilioacct.ErrOutcomeUnknown), name)
		var e *Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, c.code, e.Code, name)
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, *e), leaked, name)
		assert.Equal(t, errors.Is(c.err, context.Canceled), errors.Is(err, context.Canceled), name)
		assert.Equal(t, mongo.IsTimeout(c.err), mongo.IsTimeout(err), name)
		assert.Equal(t, mongo.IsNetworkError(c.err), mongo.IsNetworkError(err), name)
		if c.code == 11000 {
			assert.Equal(t, []string{"a", "b.c"}, e.UniqueIndex, name)
			assert.Contains(t, err.Error(), "a, b.c", name)
		}
	}
	require.NoError(t, writeFailure("update", nil))
	require.NoError(t, readFailure("find", nil))
	require.NotErrorIs(t, readFailure("find", context.Canceled), twilioacct.ErrOutcomeUnknown)
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://127.0.0.1:1")) // never used
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, client.Disconnect(context.WithoutCancel(t.Context()))) })
	coll := client.Database("d").Collection("c")

	_, err = New(nil, nil)
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	_, err = New(coll, &Options{Timeout: -1})
	require.ErrorIs(t, err, twilioacct.ErrInvalid)
	_, err = New(coll, &Options{Paths: Paths{SID: "_id"}})
	require.ErrorIs(t, err, twilioacct.ErrInvalid)

	given := &Options{Timeout: time.Second}
	store, err := New(coll, given)
	require.NoError(t, err)
	given.Timeout = time.Hour
	assert.Equal(t, time.Second, store.timeout, "the options are copied")
	store, err = New(coll, nil)
	require.NoError(t, err)
	assert.Equal(t, 10*time.Second, store.timeout)
}
