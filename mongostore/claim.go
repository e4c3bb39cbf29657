package mongostore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
)

var errNoClaims = fmt.Errorf("mongostore: there is no collection to keep claims in: set Options.Claims: %w", errors.ErrUnsupported)

// Claim implements [twilioacct.Claimer]. A claim is a document {_id: key, owner, fence, until}: whoever inserts it first has it,
// and after that one update at a time takes it over. The fence stays in it for ever.
func (s *Store) Claim(ctx context.Context, key, owner string, d time.Duration) (twilioacct.Claim, error) {
	if err := s.checkClaim(ctx, key, owner, d); err != nil {
		return twilioacct.Claim{}, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	now := time.Now()
	c, err := s.takeOver(ctx, key, owner, now, d)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return s.claimFirst(ctx, twilioacct.Claim{Key: key, Owner: owner, Fence: 1, Until: until(now, d)})
	}
	return c, err
}

func (s *Store) checkClaim(ctx context.Context, key, owner string, d time.Duration) error {
	switch {
	case ctx == nil:
		return errNoContext
	case s.claims == nil:
		return errNoClaims
	}
	return twilioacct.CheckClaim(key, owner, d)
}

// until is the end of a claim as MongoDB keeps it: in milliseconds.
func until(now time.Time, d time.Duration) time.Time { return now.Add(d).Truncate(time.Millisecond) }

// takeOver gets a claim that is the owner's, or whose time is up.
func (s *Store) takeOver(ctx context.Context, key, owner string, now time.Time, d time.Duration) (twilioacct.Claim, error) {
	end := until(now, d)
	filter := bson.D{
		{Key: "_id", Value: key},
		{Key: "$or", Value: bson.A{
			bson.D{{Key: "owner", Value: owner}},
			bson.D{{Key: "until", Value: bson.D{{Key: "$lte", Value: now}}}},
		}},
	}
	update := bson.D{
		{Key: "$set", Value: bson.D{{Key: "owner", Value: owner}, {Key: "until", Value: end}}},
		{Key: "$inc", Value: bson.D{{Key: "fence", Value: int64(1)}}}, // applied twice, it still only grows
	}
	raw, err := s.claims.FindOneAndUpdate(ctx, filter, update, options.FindOneAndUpdate().SetReturnDocument(options.After)).Raw()
	if errors.Is(err, mongo.ErrNoDocuments) {
		return twilioacct.Claim{}, err
	}
	if err != nil {
		return twilioacct.Claim{}, writeFailure("findAndModify", err)
	}
	fence, ok := raw.Lookup("fence").AsInt64OK()
	if !ok {
		return twilioacct.Claim{}, &DocumentError{ID: key, Path: "fence", Problem: "is not a number"}
	}
	return twilioacct.Claim{Key: key, Owner: owner, Fence: fence, Until: end}, nil
}

// claimFirst makes the claim's document. If it is there, somebody else holds the claim.
func (s *Store) claimFirst(ctx context.Context, c twilioacct.Claim) (twilioacct.Claim, error) {
	_, err := s.claims.InsertOne(ctx, bson.D{
		{Key: "_id", Value: c.Key},
		{Key: "owner", Value: c.Owner},
		{Key: "fence", Value: c.Fence},
		{Key: "until", Value: c.Until},
	})
	failure := writeFailure("insert", err)
	var e *Error
	if errors.As(failure, &e) && e.Code == duplicateKey && isID(e.UniqueIndex) {
		return twilioacct.Claim{}, twilioacct.ErrClaimed
	}
	if failure != nil {
		return twilioacct.Claim{}, failure
	}
	return c, nil
}

// isID is true for the index on _id, the only unique one there should be, so also where the server names none.
func isID(fields []string) bool {
	return len(fields) == 0 || len(fields) == 1 && fields[0] == "_id"
}

// Renew implements [twilioacct.Claimer].
func (s *Store) Renew(ctx context.Context, c twilioacct.Claim, d time.Duration) (twilioacct.Claim, error) {
	if err := s.checkClaim(ctx, c.Key, c.Owner, d); err != nil {
		return twilioacct.Claim{}, err
	}
	c.Until = until(time.Now(), d)
	held, err := s.updateClaim(ctx, c, bson.D{{Key: "until", Value: c.Until}})
	if err == nil && !held {
		err = twilioacct.ErrStale
	}
	if err != nil {
		return twilioacct.Claim{}, err
	}
	return c, nil
}

// Release implements [twilioacct.Claimer]. The document stays, for its fence must never grow smaller.
func (s *Store) Release(ctx context.Context, c twilioacct.Claim) error {
	switch {
	case ctx == nil:
		return errNoContext
	case s.claims == nil:
		return errNoClaims
	}
	_, err := s.updateClaim(ctx, c, bson.D{{Key: "owner", Value: ""}, {Key: "until", Value: time.UnixMilli(0)}})
	return err
}

// updateClaim changes a claim that is still held under that fence.
func (s *Store) updateClaim(ctx context.Context, c twilioacct.Claim, set bson.D) (held bool, err error) {
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	filter := bson.D{{Key: "_id", Value: c.Key}, {Key: "owner", Value: c.Owner}, {Key: "fence", Value: c.Fence}}
	result, err := s.claims.UpdateOne(ctx, filter, bson.D{{Key: "$set", Value: set}})
	if err != nil {
		return false, writeFailure("update", err)
	}
	return result.MatchedCount > 0, nil
}
