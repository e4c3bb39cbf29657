package twilioacct

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
)

const lengthOfSID = 34

// isSID reports whether s is a SID of that kind: its two letters and 32 hex digits. Only such a string may enter a path:
// twilio-go does not escape them.
func isSID(kind, s string) bool {
	if len(s) != lengthOfSID || s[:2] != kind {
		return false
	}
	var id [16]byte
	_, err := hex.Decode(id[:], []byte(s[2:]))
	return err == nil
}

// asWritten is a SID as Twilio writes it, in small digits.
func asWritten(sid string) string { return sid[:2] + strings.ToLower(sid[2:]) }

var errNoContext = invalid("the context is nil: pass context.Background() where there is no other")

// checkCall refuses what no request should be made for.
func checkCall(ctx context.Context, accountSID string) error {
	if ctx == nil {
		return errNoContext
	}
	if !isSID("AC", accountSID) {
		return invalid("account SID %s is not AC and 32 hex digits", quote(accountSID))
	}
	return nil
}

// sidKinds are the kinds of SIDs, by the two letters that they begin with.
var sidKinds = map[string]string{
	"AC": "account",
	"AD": "address",
	"AP": "application",
	"BU": "bundle",
	"CA": "call",
	"CR": "push credential",
	"FW": "Studio flow",
	"HX": "content",
	"MG": "messaging service",
	"PN": "phone number",
	"SK": "API key",
	"SM": "message",
	"TK": "trunk",
}

// checkSID refuses what is no SID of that kind.
func checkSID(kind, sid string) error { return checkField(sidKinds[kind]+" SID", kind, sid) }

// checkField is checkSID for a SID that has a name, and checkOptional lets an empty one pass.
func checkField(name, kind, sid string) error {
	if isOfKind(kind, sid) {
		return nil
	}
	return invalid("%s %s is not %s and 32 hex digits", name, quote(sid), kind)
}

// isOfKind is isSID, but for the messages with media, whose SIDs begin with letters of their own.
func isOfKind(kind, sid string) bool {
	return isSID(kind, sid) || kind == "SM" && isSID("MM", sid)
}

func checkOptional(name, kind, sid string) error {
	if sid == "" {
		return nil
	}
	return checkField(name, kind, sid)
}

// firstOf is the first error that is one.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// quote shows what somebody passed for a SID.
func quote(s string) string { return strconv.Quote(shown(s)) }

// shown is a SID, or the beginning of what stands in its place: it may be a token that was pasted there.
func shown(s string) string {
	const most = 4
	if len(s) <= most || len(s) == lengthOfSID && sidKinds[s[:2]] != "" && isSID(s[:2], s) {
		return s
	}
	return s[:most] + "…"
}

func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
