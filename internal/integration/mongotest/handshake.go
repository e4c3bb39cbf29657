package mongotest

import (
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// What the server claims to be. Clients choose their protocol by it: version
// 7.0 keeps them from sending what only 8.0 has, as the client bulk write.
const (
	setName        = "rs0"
	version        = "7.0.0"
	maxWireVersion = 21

	maxDocumentSize = 16 << 20
	maxBatchSize    = 100_000
	sessionMinutes  = 30
)

// hello presents the server as the primary of a replica set of one, because
// drivers use sessions and retryable writes only there.
func (s *Server) hello(*request) (bson.D, error) {
	me := s.Address()
	return document(
		"helloOk", true, "isWritablePrimary", true, "ismaster", true, "secondary", false, "readOnly", false,
		"setName", setName, "setVersion", int32(1), "electionId", primitive.ObjectID{1},
		"me", me, "primary", me, "hosts", bson.A{me},
		"maxBsonObjectSize", int32(maxDocumentSize), "maxMessageSizeBytes", int32(maxMessageSize),
		"maxWriteBatchSize", int32(maxBatchSize), "logicalSessionTimeoutMinutes", int32(sessionMinutes),
		"localTime", primitive.NewDateTimeFromTime(time.Now()), "connectionId", int32(1),
		"minWireVersion", int32(0), "maxWireVersion", int32(maxWireVersion),
	), nil
}

func (s *Server) ping(*request) (bson.D, error) { return bson.D{}, nil }

func (s *Server) buildInfo(*request) (bson.D, error) {
	return document("version", version, "versionArray", bson.A{int32(7), int32(0), int32(0), int32(0)},
		"maxBsonObjectSize", int32(maxDocumentSize), "modules", bson.A{}), nil
}
