package twiliotest

import (
	"net/http"
	"time"
	"unicode/utf8"
)

const (
	accountsPath = "/2010-04-01/Accounts.json"
	accountPath  = "/2010-04-01/Accounts/{Sid:AC}.json"
)

var accountRoutes = []route{
	{operation: "CreateAccount", method: http.MethodPost, host: apiHost, path: accountsPath,
		params: []string{"FriendlyName"}, handle: noStandardKeys(createAccount)},
	{operation: "ListAccount", method: http.MethodGet, host: apiHost, path: accountsPath,
		params: paged("FriendlyName", "Status"), handle: noStandardKeys(listAccounts)},
	{operation: "FetchAccount", method: http.MethodGet, host: apiHost, path: accountPath,
		handle: noStandardKeys(fetchAccount)},
	{operation: "UpdateAccount", method: http.MethodPost, host: apiHost, path: accountPath,
		params: []string{"FriendlyName", "Status"}, handle: noStandardKeys(updateAccount)},
}

// noStandardKeys refuses Standard keys, which may not touch accounts and keys.
func noStandardKeys(handle func(*call) answer) func(*call) answer {
	return func(c *call) answer {
		if c.signer.isStandardKey() {
			return c.refuse(20003)
		}
		return handle(c)
	}
}

func createAccount(c *call) answer {
	all := &c.server.accounts
	name, _ := c.param("FriendlyName")
	now := time.Now()
	switch {
	case c.signer.account != all.parent:
		return c.refuse(21101)
	case !isName(name):
		return c.refuse(20002)
	case all.numOpen >= c.server.config.subaccountLimit:
		return c.refuse(21480)
	case name == "":
		name = "SubAccount Created at " + now.UTC().Format("2006-01-02 03:04 PM")
	}
	a := all.addSubaccount(name, now)
	all.delayActivation(a, now)
	return c.accountAnswer(http.StatusCreated, a)
}

func fetchAccount(c *call) answer {
	a, code := c.accountInPath("Sid")
	if code != 0 {
		return c.refuse(code)
	}
	return c.accountAnswer(http.StatusOK, a)
}

func updateAccount(c *call) answer {
	a, code := c.accountInPath("Sid")
	if code != 0 {
		return c.refuse(code)
	}
	name, _ := c.param("FriendlyName")
	status, statusSent := c.param("Status")
	if statusSent {
		code = c.statusRefusal(a, status)
	}
	if !isName(name) {
		code = 20002
	}
	if code != 0 {
		return c.refuse(code)
	}
	c.server.accounts.change(a, time.Now(), func(a *Account) {
		if name != "" {
			a.FriendlyName = name
		}
		if statusSent {
			a.Status = status
		}
	})
	return c.accountAnswer(http.StatusOK, a)
}

// statusRefusal is the code for a status that a may not be given, 0 if it may.
func (c *call) statusRefusal(a *account, status string) int {
	parent := c.server.accounts.parent
	switch {
	case status != Active && status != Suspended && status != Closed:
		return 21475
	case a == parent || a.OwnerSID == a.SID:
		return 21477
	case c.signer.account != parent:
		return 20003 // no subaccount decides over its own status
	case a.Status == Closed:
		return 21479
	case a.suspendedByTwilio && status == Active:
		return 21478
	}
	return 0
}

// accountInPath returns the account that a path is about, or the code that the
// signer gets instead.
func (c *call) accountInPath(name string) (*account, int) {
	all := &c.server.accounts
	a := all.bySID[c.pathVar(name)]
	switch {
	case a == nil || a.deleted:
		return nil, 20404
	case a == c.signer.account:
		return a, 0
	case a.foreignAnswer != 0:
		return nil, a.foreignAnswer
	case c.signer.account != all.parent:
		return nil, 20003
	}
	return a, 0
}

func listAccounts(c *call) answer {
	all := &c.server.accounts
	name, byName := c.param("FriendlyName")
	status, byStatus := c.param("Status")
	if byStatus && status != Active && status != Suspended && status != Closed {
		return c.refuse(20001)
	}
	return c.list(listing{
		key:      "accounts",
		length:   len(all.all),
		sid:      func(i int) string { return all.all[i].SID },
		position: func(sid string) int { return all.position(sid) },
		shows: func(i int) bool {
			a := all.all[i]
			return !a.deleted && (!byName || a.FriendlyName == name) && (!byStatus || a.Status == status) &&
				(c.signer.account == all.parent || c.signer.account == a)
		},
		appendJSON: func(parts [][]byte, i int) [][]byte { return all.appendJSON(parts, all.all[i], c.signer) },
	})
}

// position is the place of an account, deleted or not, in the list; -1 if it
// has none.
func (all *accounts) position(sid string) int {
	if a := all.bySID[sid]; a != nil {
		return a.index
	}
	return -1
}

func (c *call) accountAnswer(status int, a *account) answer {
	return jsonAnswer(status, c.server.accounts.appendJSON(nil, a, c.signer)...)
}

// isName tells whether Twilio takes s as a FriendlyName.
func isName(s string) bool { return utf8.RuneCountInString(s) <= 64 }
