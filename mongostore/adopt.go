package mongostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/twilioacct/twilioacct"
)

// Adopt gives an account the document of the application's that filter finds, and reports whether that document holds the account
// now. It sets the SID, the token (unless Twilio hides it), the status and a revision in it, and fields, which are the
// application's own and may be nil: all in one update, and only if the document holds no SID yet (it is missing, null or empty).
// It never makes a document. It is meant for [twilioacct.SyncAllOptions]:
//
//	Adopt: func(ctx context.Context, a twilioacct.Account) (bool, error) {
//		return store.Adopt(ctx, a, bson.D{{Key: "name", Value: a.FriendlyName}}, nil)
//	}
//
// Nothing is written, and adopted is false, if filter finds no document or another one, readable or not, holds the account; if it finds
// several (twilioacct.ErrAmbiguous); and if the one that it finds holds another account (twilioacct.ErrConflict). If that one holds
// this very account, adopted is true and nothing is written: so adopting again is safe, above all after an error. A document that
// still has the API keys of an account that it does not name, or a token where Twilio hides the new one, is a *[DocumentError]: they
// would become this account's. An empty filter, and fields with operators or in the place of ours, are twilioacct.ErrInvalid. Each
// call searches by filter: have an index for it.
//
// If two adopt one account at once by different documents, the unique index lets one of them have it, and the other gets false: see
// [Store.EnsureIndexes]. Without the index both documents may come to hold the account; [Store.Duplicates] lists it.
func (s *Store) Adopt(ctx context.Context, a twilioacct.Account, filter, fields bson.D) (adopted bool, err error) {
	if ctx == nil {
		return false, errNoContext
	}
	r := twilioacct.Record{SID: a.SID, AuthToken: a.AuthToken, Status: a.Status}
	if err := s.checkAdoption(r, filter, fields); err != nil {
		return false, err
	}
	ctx, cancel := s.bounded(ctx)
	defer cancel()
	for range adoptTries {
		d, err := s.adoptable(ctx, r, filter)
		if d == nil || err != nil {
			return false, err
		}
		if d.record.SID == r.SID {
			return true, nil
		}
		adopted, err := s.adopt(ctx, *d, r, filter, fields)
		if !errors.Is(err, twilioacct.ErrStale) {
			return adopted, err
		}
	}
	return false, twilioacct.ErrStale
}

// adoptTries are enough for whoever is first to be seen.
const adoptTries = 3

func (s *Store) checkAdoption(r twilioacct.Record, filter, fields bson.D) error {
	if err := r.Check(); err != nil {
		return err
	}
	if len(filter) == 0 {
		return invalid("Adopt: the filter is empty, which finds every document: say how the account's is known")
	}
	taken := s.paths.all()
	for _, f := range fields {
		at := pathOf(strings.Split(f.Key, ".")...)
		if problem := cmp.Or(at.problem(), unsettable(f.Value)); problem != "" {
			return invalid("Adopt: field %q: %s", f.Key, problem)
		}
		if i := slices.IndexFunc(taken, at.overlaps); i >= 0 {
			return invalid("Adopt: field %q is %q, or one lies in the other: give each field a path of its own", f.Key, taken[i])
		}
		taken = append(taken, at)
	}
	return nil
}

// unsettable is why a value cannot be set.
func unsettable(value any) string {
	t, data, err := bson.MarshalValue(value)
	if err != nil {
		return "its value cannot be stored"
	}
	inside, isDocument := bson.RawValue{Type: t, Value: data}.DocumentOK()
	if !isDocument {
		return ""
	}
	if e, err := inside.IndexErr(0); err == nil && strings.HasPrefix(e.Key(), "$") {
		return "its value begins with $, as MongoDB's operators do: give the value itself"
	}
	return ""
}

// adoptable finds the document that may be given the account, or that holds it already; nil is none.
func (s *Store) adoptable(ctx context.Context, r twilioacct.Record, filter bson.D) (*document, error) {
	raws, err := s.findRaw(ctx, filter, 2)
	if err != nil || len(raws) == 0 {
		return nil, err
	}
	if len(raws) > 1 {
		return nil, fmt.Errorf("mongostore: Adopt %s: the filter finds several documents: %w", r.SID, twilioacct.ErrAmbiguous)
	}
	d, err := s.paths.readFree(raws[0])
	switch {
	case err != nil:
		return nil, err
	case d.record.SID == r.SID:
		return &d, nil
	case d.record.SID != "":
		return nil, fmt.Errorf("mongostore: Adopt %s: document %s holds %s: %w", r.SID, idText(d.id), d.record.SID, twilioacct.ErrConflict)
	}
	if left := s.leftBehind(d.record, r); left != nil {
		problem := "was left behind by an account that the document does not name any more"
		return nil, &DocumentError{ID: idText(d.id), Path: left.dotted, Problem: problem}
	}
	if isElsewhere, err := s.isElsewhere(ctx, d, r.SID); isElsewhere || err != nil {
		return nil, err
	}
	return &d, nil
}

// leftBehind is a secret without an account that would become the adopted one's; nil is none.
func (s *Store) leftBehind(kept, r twilioacct.Record) *path {
	switch {
	case !kept.AuthToken.IsZero() && r.AuthToken.IsZero():
		return s.paths.token
	case len(kept.APIKeys) > 0:
		return s.paths.keys
	}
	return nil
}

// isElsewhere reports whether another document than d holds the SID.
func (s *Store) isElsewhere(ctx context.Context, d document, sid string) (bool, error) {
	others := bson.D{{Key: s.paths.sid.dotted, Value: sid}, {Key: "_id", Value: bson.D{{Key: "$ne", Value: d.id}}}}
	raws, err := s.findRaw(ctx, others, 1)
	return len(raws) > 0, err
}

// adopt writes the account into a document that holds none. ErrStale: by now it holds one, or is not what the filter finds.
func (s *Store) adopt(ctx context.Context, d document, r twilioacct.Record, filter, fields bson.D) (bool, error) {
	c := s.paths.assigned(r)
	c.set = append(c.set, assignment{s.paths.sid, r.SID})
	set := slices.Concat(fields, c.set.fields(), bson.D{{Key: s.paths.rev.dotted, Value: d.record.Rev + 1}})
	if err := ctx.Err(); err != nil {
		return false, readFailure("update", err) // not sent, so its outcome is known
	}
	isFree := bson.D{{Key: "_id", Value: d.id}, {Key: s.paths.sid.dotted, Value: bson.D{{Key: "$in", Value: bson.A{nil, ""}}}}}
	still := bson.D{{Key: "$and", Value: bson.A{isFree, filter}}}
	result, err := s.accounts.UpdateOne(ctx, still, bson.D{{Key: "$set", Value: set}})
	if err != nil {
		return false, s.notAdopted(ctx, d, r.SID, set, writeFailure("update", err))
	}
	if result.MatchedCount == 0 {
		return false, twilioacct.ErrStale
	}
	return true, nil
}

// notAdopted is no error where another document got the account first.
func (s *Store) notAdopted(ctx context.Context, d document, sid string, set bson.D, failure error) error {
	failure = s.refusedNew(failure, func() bool {
		isElsewhere, err := s.isElsewhere(ctx, d, sid)
		return isElsewhere && err == nil
	})
	if errors.Is(failure, twilioacct.ErrStale) {
		return nil
	}
	return s.refusal(d, keys(set), failure)
}
