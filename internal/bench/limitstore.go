package main

import (
	"context"
	"encoding/binary"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// plainDocuments are documents that have twilio_account {sid, authToken, status}. BSON is read and made by hand.
type plainDocuments struct {
	collection *mongo.Collection
	scanned    scan
	bson       []byte // of the bulk that is sent
}

// scan is what a scan asks the server for.
type scan struct{ filter, fields bson.D }

var (
	// asLittleAsPossible leaves out the ids, without which no document can be named, and the revisions, without which none can be
	// written safely, and reads documents that have no account, too.
	asLittleAsPossible = scan{bson.D{}, bson.D{{Key: "_id", Value: 0}, only("sid"), only("authToken"), only("status")}}

	// asOurs is what the library asks for.
	asOurs = scan{
		bson.D{{Key: "twilio_account.sid", Value: bson.D{{Key: "$gt", Value: ""}}}},
		bson.D{only("sid"), only("authToken"), only("status"), only("rev")},
	}
)

func only(field string) bson.E { return bson.E{Key: "twilio_account." + field, Value: 1} }

const chunk = 1000

func (d *plainDocuments) scan(ctx context.Context, see func(plainAccount)) error {
	o := options.Find().SetBatchSize(chunk).SetProjection(d.scanned.fields)
	cursor, err := d.collection.Find(ctx, d.scanned.filter, o)
	if err != nil {
		return err
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	for cursor.Next(ctx) {
		account, ok := cursor.Current.Lookup("twilio_account").DocumentOK()
		if !ok {
			continue
		}
		see(plainAccount{sid: textIn(account, "sid"), token: textIn(account, "authToken"), status: textIn(account, "status")})
	}
	return cursor.Err()
}

// textIn does not copy what it finds.
func textIn(document bson.Raw, name string) []byte {
	v := document.Lookup(name)
	if v.Type != bson.TypeString {
		return nil
	}
	const lengthBefore, zeroAfter = 4, 1
	return v.Value[lengthBefore : len(v.Value)-zeroAfter]
}

func (d *plainDocuments) write(ctx context.Context, differ []plainAccount) (found int, err error) {
	d.bson = d.bson[:0]
	for len(differ) > 0 {
		n := min(len(differ), chunk)
		result, err := d.collection.BulkWrite(ctx, d.updates(differ[:n]), options.BulkWrite().SetOrdered(false))
		if err != nil {
			return found, err
		}
		found += int(result.MatchedCount)
		differ = differ[n:]
	}
	return found, nil
}

func (d *plainDocuments) updates(differ []plainAccount) []mongo.WriteModel {
	updates := make([]mongo.UpdateOneModel, len(differ))
	models := make([]mongo.WriteModel, len(differ))
	for i, a := range differ {
		updates[i].Filter = d.document(func(b []byte) []byte { return appendText(b, "twilio_account.sid", a.sid) })
		updates[i].Update = d.document(func(b []byte) []byte {
			at, b := bsoncore.AppendDocumentElementStart(b, "$set")
			b = appendText(b, "twilio_account.authToken", a.token)
			b = appendText(b, "twilio_account.status", a.status)
			b, _ = bsoncore.AppendDocumentEnd(b, at)
			return b
		})
		models[i] = &updates[i]
	}
	return models
}

func (d *plainDocuments) document(appendFields func([]byte) []byte) bson.Raw {
	at, b := bsoncore.AppendDocumentStart(d.bson)
	d.bson, _ = bsoncore.AppendDocumentEnd(appendFields(b), at)
	return bson.Raw(d.bson[at:len(d.bson):len(d.bson)])
}

func appendText(b []byte, name string, value []byte) []byte {
	b = bsoncore.AppendHeader(b, bsoncore.TypeString, name)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(value)+1)) //nolint:gosec // G115: some 40 bytes
	return append(append(b, value...), 0)
}
