package main

import (
	"context"
	"fmt"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// loop: a program that goes through its documents one after another, fetches each account with twilio-go and updates the document,
// takes more than a hundred times as long. It is run for as many accounts as a page has, where we are slowest for each of them: with
// more, the loop's time grows with their number, and ours with the number of pages.
func loop(ctx context.Context, r *report) error {
	const near = 20 * time.Millisecond
	s, err := newStage(ctx, pageSize)
	if err != nil {
		return err
	}
	defer s.close(ctx)
	if err := s.twilio.become(ctx, conditions{Latency: near}); err != nil {
		return err
	}
	ours, err := s.ours(ctx)
	if err != nil {
		return err
	}
	accounts, err := s.database.accounts()
	if err != nil {
		return err
	}
	one := oneByOne{stock(s.twilio), accounts}
	happen := func() error { return allChanged.happen(ctx, s.twilio) }
	wall, _, err := bothTimes(fewRounds,
		work{"ours", happen, func() error { return ours(s.twilio.Accounts) }},
		work{"loop", happen, func() error { return one.sync(ctx, s.twilio.Accounts) }})
	if err != nil {
		return err
	}
	label := fmt.Sprintf("both %s, all changed, %d ms", grouped(s.twilio.Accounts), near.Milliseconds())
	r.faster(label, wall[0], wall[1], 100)
	return nil
}

// oneByOne is the loop as people write it.
type oneByOne struct {
	twilio   *api.ApiService
	accounts *mongo.Collection
}

func (l oneByOne) sync(ctx context.Context, all int) error {
	cursor, err := l.accounts.Find(ctx, bson.D{{Key: "twilio_account.sid", Value: bson.D{{Key: "$exists", Value: true}}}})
	if err != nil {
		return err
	}
	defer func() { _ = cursor.Close(context.WithoutCancel(ctx)) }()
	changed := 0
	for cursor.Next(ctx) {
		sid, _ := cursor.Current.Lookup("twilio_account", "sid").StringValueOK()
		account, err := l.twilio.FetchAccount(sid)
		if err != nil {
			return err
		}
		result, err := l.accounts.UpdateOne(ctx, bson.D{{Key: "twilio_account.sid", Value: sid}}, bson.D{{Key: "$set", Value: bson.D{
			{Key: "twilio_account.authToken", Value: account.AuthToken},
			{Key: "twilio_account.status", Value: account.Status},
		}}})
		if err != nil {
			return err
		}
		changed += int(result.ModifiedCount)
	}
	if err := cursor.Err(); err != nil {
		return err
	}
	if changed != all {
		return fmt.Errorf("%d of %d documents were changed", changed, all)
	}
	return nil
}
