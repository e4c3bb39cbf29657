package mongotest

// commands are all that the server understands, and the fields it understands
// of each. A command without fields takes any, because none of them matters.
var commands = map[string]command{
	"hello":       {run: (*Server).hello},
	"isMaster":    {run: (*Server).hello},
	"ismaster":    {run: (*Server).hello},
	"ping":        {run: (*Server).ping},
	"buildInfo":   {run: (*Server).buildInfo},
	"buildinfo":   {run: (*Server).buildInfo},
	"endSessions": {run: (*Server).endSessions},

	"insert": {on: onCollection, run: (*Server).insert, fields: fields{
		"documents": documents, "ordered": aFlag, "bypassDocumentValidation": aFlag,
	}},
	"update": {on: onCollection, run: (*Server).update, fields: fields{
		"updates": documents, "ordered": aFlag, "bypassDocumentValidation": aFlag, "let": refused,
	}},
	"delete": {on: onCollection, run: (*Server).delete, fields: fields{
		"deletes": documents, "ordered": aFlag, "let": refused,
	}},
	"findAndModify": {on: onCollection, run: (*Server).findAndModify, fields: fields{
		"query": aDocument, "sort": aDocument, "update": anything, "remove": aFlag, "new": aFlag, "upsert": aFlag,
		"fields": aDocument, "arrayFilters": documents, "bypassDocumentValidation": aFlag, "hint": anything,
		"collation": refused, "let": refused,
	}},

	"find": {on: onCollection, run: (*Server).find, fields: fields{
		"filter": aDocument, "sort": aDocument, "projection": aDocument, "skip": aNumber, "limit": aNumber,
		"batchSize": aNumber, "singleBatch": aFlag, "hint": anything, "allowDiskUse": aFlag, "noCursorTimeout": aFlag,
		"collation": refused, "let": refused, "min": refused, "max": refused, "returnKey": refused,
		"showRecordId": refused, "tailable": refused, "awaitData": refused, "allowPartialResults": aFlag,
		"oplogReplay": refused,
	}},
	"getMore":     {run: (*Server).getMore, fields: fields{"collection": aString, "batchSize": aNumber}},
	"killCursors": {on: onCollection, run: (*Server).killCursors, fields: fields{"cursors": anArray}},
	"count": {on: onCollection, run: (*Server).count, fields: fields{
		"query": aDocument, "skip": aNumber, "limit": aNumber, "hint": anything, "fields": anything, "collation": refused,
	}},
	"distinct": {on: onCollection, run: (*Server).distinct, fields: fields{
		"key": aString, "query": aDocument, "hint": anything, "collation": refused,
	}},
	"aggregate": {on: onEither, run: (*Server).aggregate, fields: fields{
		"pipeline": documents, "cursor": aDocument, "allowDiskUse": aFlag, "bypassDocumentValidation": aFlag,
		"hint": anything, "collation": refused, "let": refused, "explain": refused,
	}},

	"createIndexes": {on: onCollection, run: (*Server).createIndexes, fields: fields{
		"indexes": documents, "commitQuorum": anything, "ignoreUnknownIndexOptions": refused,
	}},
	"listIndexes": {on: onCollection, run: (*Server).listIndexes, fields: fields{"cursor": aDocument}},
	"dropIndexes": {on: onCollection, run: (*Server).dropIndexes, fields: fields{"index": anything}},

	"create": {on: onCollection, run: (*Server).create, fields: fields{
		"capped": refused, "autoIndexId": anything, "size": refused, "max": refused, "storageEngine": refused,
		"validator": refused, "validationLevel": refused, "validationAction": refused, "indexOptionDefaults": refused,
		"viewOn": refused, "pipeline": refused, "collation": refused, "changeStreamPreAndPostImages": refused,
		"timeseries": refused, "expireAfterSeconds": refused, "clusteredIndex": refused, "encryptedFields": refused,
	}},
	"drop":         {on: onCollection, run: (*Server).drop, fields: fields{}},
	"dropDatabase": {run: (*Server).dropDatabase, fields: fields{}},
	"listCollections": {run: (*Server).listCollections, fields: fields{
		"filter": aDocument, "nameOnly": aFlag, "authorizedCollections": aFlag, "cursor": aDocument,
	}},
	"listDatabases": {run: (*Server).listDatabases, fields: fields{
		"filter": aDocument, "nameOnly": aFlag, "authorizedDatabases": aFlag,
	}},

	"commitTransaction": {run: (*Server).commitTransaction, fields: fields{"recoveryToken": aDocument}},
	"abortTransaction":  {run: (*Server).abortTransaction, fields: fields{"recoveryToken": aDocument}},
}
