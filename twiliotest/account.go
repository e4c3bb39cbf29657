package twiliotest

import (
	"strconv"
	"time"
)

// The statuses of an account. Twilio has no others; [Server.SetStatus] takes
// any string, so that a program can be tested with a status of the future.
const (
	Active    = "active"
	Suspended = "suspended"
	Closed    = "closed"
)

// Account is the state of an account at one moment.
type Account struct {
	SID          string
	AuthToken    string
	FriendlyName string
	Status       string
	Type         string // Full or Trial
	OwnerSID     string // the parent's; a parent's own
	DateCreated  time.Time
	DateUpdated  time.Time
}

type account struct {
	Account
	index             int // in accounts.all, -1 for foreign ones
	deleted           bool
	suspendedByTwilio bool
	foreignAnswer     int // code for those who ask for a foreign account
	underWay          int // requests signed by it at this moment

	json []byte // as rendered; nil after a change
}

// accounts is the state of all accounts. Deleted ones stay in it, so that the
// token of a page that ends with one of them is still good.
type accounts struct {
	ids       *idSource
	parent    *account
	all       []*account // oldest first, without foreign ones
	bySID     map[string]*account
	numOpen   int // subaccounts that count against the limit
	numAdded  int // for their default names
	hideToken HiddenToken

	activation time.Duration        // until a new account's own credentials work
	activeFrom map[string]time.Time // by SID, of accounts that began with a delay
	whenClosed func(*account)       // what other resources do about it
}

func (all *accounts) open(s *Server) {
	all.ids, all.bySID, all.hideToken = &s.ids, map[string]*account{}, s.config.hiddenToken
	all.activation, all.activeFrom = s.config.activationDelay, map[string]time.Time{}
	all.whenClosed = s.releaseAll
	all.parent = all.make("Parent", time.Now())
	all.parent.OwnerSID = all.parent.SID
	if s.config.trial {
		all.parent.Type = "Trial"
	}
	all.keep(all.parent)
}

func (all *accounts) make(name string, now time.Time) *account {
	a := &account{index: -1, Account: Account{FriendlyName: name, Status: Active, Type: "Full",
		DateCreated: now, DateUpdated: now}}
	a.SID, a.AuthToken = all.ids.sidAndSecret("AC")
	all.bySID[a.SID] = a
	return a
}

func (all *accounts) keep(a *account) {
	a.index = len(all.all)
	all.all = append(all.all, a)
}

func (all *accounts) addSubaccount(name string, now time.Time) *account {
	a := all.make(name, now)
	a.OwnerSID, a.Type = all.parent.SID, all.parent.Type
	all.numAdded++
	all.numOpen++
	all.keep(a)
	return a
}

func (all *accounts) addNumbered(now time.Time) *account {
	return all.addSubaccount("Subaccount "+strconv.Itoa(all.numAdded+1), now)
}

// change is the one way to alter an account.
func (all *accounts) change(a *account, now time.Time, alter func(*Account)) {
	wasOpen := all.isOpen(a)
	alter(&a.Account)
	a.DateUpdated, a.json = now, nil
	all.numOpen += btoi(all.isOpen(a)) - btoi(wasOpen)
	if a.Status == Closed {
		all.whenClosed(a)
	}
}

func (all *accounts) delete(a *account) {
	all.numOpen -= btoi(all.isOpen(a))
	a.deleted, a.json = true, nil
	all.whenClosed(a)
}

func (all *accounts) delayActivation(a *account, now time.Time) {
	if all.activation > 0 {
		all.activeFrom[a.SID] = now.Add(all.activation)
	}
}

func (all *accounts) isActivated(a *account) bool {
	from, delayed := all.activeFrom[a.SID]
	return !delayed || !time.Now().Before(from)
}

func (all *accounts) isOpen(a *account) bool {
	return a.index > all.parent.index && !a.deleted && a.Status != Closed
}

// must returns an account by its SID. Helpers of tests panic rather than
// return an error that nobody would look at.
func (all *accounts) must(sid string) *account {
	a := all.bySID[sid]
	if a == nil || a.deleted {
		panic("twiliotest: no account " + sid)
	}
	return a
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
