package twilioacct

import (
	"iter"
	"slices"
	"strings"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// resource is anything of Twilio's that an account holds.
type resource interface {
	// identity is its SID with the two letters that such a SID begins with, and the account that it belongs to.
	identity() (sid, kind, account string)
}

// answered is the resource in an answer, if it is one of that account: whatever else came, the account asked is not the one that
// acted. asked is the SID that was asked for, "" if it was made by the call.
func answered[R any, T resource](call *rest.Call, account, asked string, raw *R, err error, convert func(*R) T) (T, error) {
	var none T
	if err != nil {
		return none, call.Typed(err)
	}
	t := convert(raw)
	mistake := mismatch(t, account, asked)
	switch {
	case mistake != "" && asked == "":
		return t, call.Unexpected(mistake) // it may have been made, and cost money
	case mistake != "":
		return none, call.Unexpected(mistake)
	}
	return t, nil
}

// listed passes on the resources of a list, and ends it with an error at one of another account.
func listed[T resource](call *rest.Call, account string, list iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for t, err := range list {
			if err == nil {
				if mistake := mismatch(t, account, ""); mistake != "" {
					t, err = *new(T), call.Unexpected(mistake)
				}
			}
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}

func mismatch(t resource, account, asked string) string {
	sid, kind, owner := t.identity()
	switch {
	case owner != account:
		return "the answer is about account " + quote(owner) + ", not " + account
	case asked != "" && !strings.EqualFold(sid, asked):
		return "the answer is about " + quote(sid) + ", not " + asked
	case !isOfKind(kind, sid):
		return "the answer has the SID " + quote(sid) + ", which is not " + kind + " and 32 hex digits"
	}
	return ""
}

// deleted is the end of something that was there: if it is gone now, an attempt has deleted it whose reply was lost, or somebody else has.
func deleted(err error) error {
	if isGone(err) {
		return nil
	}
	return err
}

// failed is a list of nothing but an error.
func failed[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) { yield(*new(T), err) }
}

// findAmong is the one of a list that is it; none is ErrNotFound, and several are ErrAmbiguous. What a list that changes meanwhile
// shows twice counts once.
func findAmong[T resource](list iter.Seq2[T, error], what, called string, isIt func(T) bool) (found T, err error) {
	var none T
	var sids []string
	for t, err := range list {
		if err != nil {
			return none, ofList(err)
		}
		if sid, _, _ := t.identity(); isIt(t) && !slices.Contains(sids, sid) {
			found, sids = t, append(sids, sid)
		}
	}
	switch len(sids) {
	case 0:
		return none, told(ErrNotFound, "there is no %s %q", what, called)
	case 1:
		return found, nil
	}
	return none, told(ErrAmbiguous, "%d %ss are called %q: %s", len(sids), what, called, strings.Join(sids, ", "))
}
