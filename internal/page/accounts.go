package page

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
)

// Accounts is a page of the list of accounts. The zero value is an empty one; a page that is used again for the next ones costs no new
// memory.
type Accounts struct {
	Body []byte // what Twilio answered

	// What Read finds there.
	List []Listed
	Next string // next_page_uri; "" on the last page

	uris likeness // of the accounts' subresource_uris
}

// Listed is an account on a page. Its fields are bytes of that page's Body, so they are not to be changed and last as long as that
// does. What Twilio leaves out or says to be null is empty.
type Listed struct {
	SID, AuthToken, Status, FriendlyName, Type []byte

	Object []byte // all that Twilio says of the account, as JSON

	IsOdd bool // a field has another form than Twilio documents, and is empty here
}

// Read takes the body apart as encoding/json would, and refuses what that would, in a twentieth of its time; only an account of another
// form than Twilio documents is not refused, but odd. After an error, which has its type from call, nothing was found.
func (a *Accounts) Read(call Call) error {
	a.List, a.Next = a.List[:0], ""
	if a.readPlain() {
		return nil
	}
	a.List, a.Next = a.List[:0], ""
	return a.readAny(call)
}

// Ahead finds out where the next page is, likely, before the body is read: in some microseconds, so that it can be asked for. It is
// false on the last page, and where the address is not near one of the body's ends.
func (a *Accounts) Ahead() (at Cursor, ok bool) {
	const near = 2048
	begin, end := a.Body[:min(near, len(a.Body))], a.Body[max(0, len(a.Body)-near):]
	for _, part := range [][]byte{end, begin} {
		_, after, isThere := bytes.Cut(part, []byte(`"next_page_uri"`))
		if !isThere {
			continue
		}
		r := reader{b: after}
		r.take(':')
		var next []byte
		r.text(&next)
		at, err := parse(string(next))
		return at, err == nil && !r.lost
	}
	return at, false
}

// readPlain reads the usual page. It is false for any other, whatever is wrong with that.
func (a *Accounts) readPlain() bool {
	r := reader{b: a.Body}
	var next []byte
	listed := false
	for more := r.open('{', '}'); more; more = r.another('}') {
		switch key := r.key(); string(key) {
		case "accounts":
			r.lost = r.lost || listed
			listed = true
			a.readList(&r)
		case "next_page_uri":
			r.text(&next)
		default:
			r.other(key)
		}
	}
	a.Next = string(next)
	return listed && r.done()
}

func (a *Accounts) readList(r *reader) {
	const short = 2 << 10 // bytes of an account
	a.List = slices.Grow(a.List, len(a.Body)/short)
	for more := r.open('[', ']'); more; more = r.another(']') {
		a.List = append(a.List, Listed{})
		a.readAccount(r, &a.List[len(a.List)-1])
	}
}

func (a *Accounts) readAccount(r *reader, into *Listed) {
	r.peek()
	begin := r.i
	for more := r.open('{', '}'); more; more = r.another('}') {
		switch key := r.key(); string(key) {
		case "sid":
			r.text(&into.SID)
		case "auth_token":
			r.text(&into.AuthToken)
		case "status":
			r.text(&into.Status)
		case "friendly_name":
			r.text(&into.FriendlyName)
		case "type":
			r.text(&into.Type)
		case "subresource_uris":
			r.skipLike(&a.uris, into.SID)
		case "date_created", "date_updated", "owner_account_sid", "uri":
			r.skip(deepest)
		default:
			r.other(key)
		}
	}
	into.Object = r.b[begin:r.i]
}

// readAny leaves it to encoding/json. An account of another form than Twilio documents hinders none of the others; but where several
// are shown and none has a SID, or where one is no object, it is no page.
func (a *Accounts) readAny(call Call) error {
	var page struct {
		Accounts []json.RawMessage `json:"accounts"`
		Next     *string           `json:"next_page_uri"`
	}
	if err := json.Unmarshal(a.Body, &page); err != nil {
		return call.Typed(err)
	}
	if page.Accounts == nil {
		return call.Unexpected(noList)
	}
	var odd error
	for _, object := range page.Accounts {
		account, err := listed(object)
		a.List = append(a.List, account)
		odd = cmp.Or(odd, err)
	}
	if odd != nil && !a.isPage() {
		a.List = a.List[:0]
		return call.Typed(odd)
	}
	a.Next = value(page.Next)
	return nil
}

// isPage is true for what looks like a page of Twilio's, although something in it is odd.
func (a *Accounts) isPage() bool {
	isObject := func(l Listed) bool { return bytes.HasPrefix(l.Object, []byte("{")) }
	hasSID := func(l Listed) bool { return len(l.SID) > 0 }
	return len(a.List) == 1 && isObject(a.List[0]) || slices.ContainsFunc(a.List, hasSID)
}

// listed is what encoding/json could read of an account, and what it could not.
func listed(object []byte) (Listed, error) {
	var account struct {
		SID          *string `json:"sid"`
		AuthToken    *string `json:"auth_token"`
		Status       *string `json:"status"`
		FriendlyName *string `json:"friendly_name"`
		Type         *string `json:"type"`
	}
	err := json.Unmarshal(object, &account)
	return Listed{
		SID:          []byte(value(account.SID)),
		AuthToken:    []byte(value(account.AuthToken)),
		Status:       []byte(value(account.Status)),
		FriendlyName: []byte(value(account.FriendlyName)),
		Type:         []byte(value(account.Type)),
		Object:       object,
		IsOdd:        err != nil,
	}, err
}
