package mongotest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

func code(reply bson.D) any { return field(reply, "code") }

// inSession is an insert with the parts of a retryable write.
func inSession(id string, number int64, document bson.D) bson.D {
	lsid := bson.D{{Key: "id", Value: primitive.Binary{Subtype: 4, Data: []byte(id)}}}
	return bson.D{{Key: "insert", Value: "c"}, {Key: "$db", Value: "d"}, {Key: "documents", Value: bson.A{document}},
		{Key: "lsid", Value: lsid}, {Key: "txnNumber", Value: number}}
}

func TestATransactionNumberNeedsASession(t *testing.T) {
	t.Parallel()
	reply, ok := Start(t).answer(inSession("", 1, document("_id", int32(1))))
	require.True(t, ok)
	require.EqualValues(t, codeInvalidOptions, code(reply))
}

func TestAnOldTransactionNumberIsRefused(t *testing.T) {
	t.Parallel()
	s := Start(t)
	first, _ := s.answer(inSession("a", 2, document("_id", int32(1))))
	require.EqualValues(t, 1, field(first, "n"))
	again, _ := s.answer(inSession("a", 2, document("_id", int32(1))))
	require.Equal(t, first, again)
	old, _ := s.answer(inSession("a", 1, document("_id", int32(2))))
	require.EqualValues(t, codeTransactionTooOld, code(old))
	other, _ := s.answer(inSession("b", 1, document("_id", int32(2))))
	require.EqualValues(t, 1, field(other, "n"))
}

func TestAPanicOfTheEngineIsAnError(t *testing.T) {
	t.Parallel()
	_, err := safely(func() (bson.D, error) { panic("oops") })
	require.EqualValues(t, codeUnknownError, translate(err).code)
}
