package setup

import (
	"maps"
	"slices"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// FleetSize is how many subaccounts the offline fleet has at Twilio, and how many documents its store has.
const FleetSize = 5000

// OfflineFleet is a fake Twilio with 5,000 subaccounts, and a store with 5,000 documents that do not quite agree with it. It is the
// same in every run. Of the documents
//
//   - 4,961 are as they should be; the accounts of 9 are suspended, of 6 closed
//   - 12 are out of date: 3 accounts were suspended since and 2 closed, 4 have a new token, and 3 documents were never synced
//   - 1 is closed, and its account is gone, as Twilio deletes them after a while
//   - 4 are wrong: 2 accounts vanished without having been closed, and 2 are somebody else's
//   - 5 are missing: nobody made one when the account was made
//
// 200 accounts are of type Trial, some have names that are not easy to show. As time passes (see [Env.TimePasses]), a few more
// are suspended.
func OfflineFleet() *Env {
	f := newFleet()
	f.give("Trial", 200)
	f.take(9, f.suspend, f.update)
	f.take(6, f.closeAccount, f.update)
	f.take(3, f.suspend)
	f.take(2, f.closeAccount)
	f.take(4, f.rotate)
	f.take(3, f.forget)
	f.take(5, f.drop)
	f.take(2, f.fake.DeleteAccount)
	f.take(1, f.closeAccount, f.update, f.fake.DeleteAccount)
	f.adopt(2)
	f.nameOddly()
	f.restless = f.deal(50)
	return f.env()
}

// fleet is the fake and the documents while they are made.
type fleet struct {
	fake      *twiliotest.Server
	deck      []string // SIDs in an order of no meaning
	documents map[string]twilioacct.Record
	restless  []string // what is suspended now and then
	passed    int
}

// leavers are the accounts that are made, and deleted before anybody looks.
const leavers = 3

func newFleet() *fleet {
	fake := twiliotest.Start(twiliotest.WithRecordLimit(0))
	fake.Rename(fake.Parent().SID, "Owlie Notifications")
	fake.AddSubaccounts(FleetSize + leavers)
	f := &fleet{fake: fake, documents: map[string]twilioacct.Record{}}
	for i, a := range fake.Subaccounts() {
		fake.Rename(a.SID, companyName(i))
		f.deck = append(f.deck, a.SID)
		f.update(a.SID)
	}
	f.deck = scatter(f.deck)
	return f
}

// scatter brings the elements into an order of no meaning that is always the same.
func scatter[E any](list []E) []E {
	const step = 2741 // a prime, so every element comes once
	scattered := make([]E, 0, len(list))
	for i := range list {
		scattered = append(scattered, list[i*step%len(list)])
	}
	return scattered
}

// deal takes n accounts off the deck, so that each is in one kind of trouble at most.
func (f *fleet) deal(n int) []string {
	dealt := f.deck[:n]
	f.deck = f.deck[n:]
	return dealt
}

// take does all of that to n accounts.
func (f *fleet) take(n int, steps ...func(sid string)) {
	for _, sid := range f.deal(n) {
		for _, step := range steps {
			step(sid)
		}
	}
}

// What happens to an account at Twilio. Its document knows only after an update.
func (f *fleet) suspend(sid string)      { f.fake.SetStatus(sid, twiliotest.Suspended) }
func (f *fleet) reactivate(sid string)   { f.fake.SetStatus(sid, twiliotest.Active) }
func (f *fleet) closeAccount(sid string) { f.fake.SetStatus(sid, twiliotest.Closed) }
func (f *fleet) rotate(sid string)       { f.fake.RotateToken(sid) }

// give makes n accounts, wherever they stand in the deck, accounts of that type.
func (f *fleet) give(kind string, n int) {
	for i := range n {
		f.fake.SetType(f.deck[i*len(f.deck)/n], kind)
	}
}

// What happens to a document.
func (f *fleet) update(sid string) {
	a, _ := f.fake.Account(sid)
	f.documents[sid] = twilioacct.Record{SID: sid, Status: twilioacct.Status(a.Status), AuthToken: twilioacct.NewSecret(a.AuthToken)}
}
func (f *fleet) forget(sid string) { f.documents[sid] = twilioacct.Record{SID: sid} }
func (f *fleet) drop(sid string)   { delete(f.documents, sid) }

// adopt gives documents to n accounts of somebody else's.
func (f *fleet) adopt(n int) {
	for range n {
		f.update(f.fake.AddForeignAccount(20403).SID)
	}
}

func (f *fleet) nameOddly() {
	for i, sid := range f.deal(len(oddNames)) {
		f.fake.Rename(sid, oddNames[i])
	}
}

func (f *fleet) env() *Env {
	parent := f.fake.Parent()
	return &Env{
		Parent: twilioacct.Credentials{AccountSID: parent.SID, AuthToken: twilioacct.NewSecret(parent.AuthToken)},
		Options: twilioacct.Options{
			HTTPClient: f.fake.HTTPClient(),
			Store:      twilioacct.NewMemStore(slices.Collect(maps.Values(f.documents))...),
		},
		timePasses: f.timePasses,
		close:      f.fake.Close,
	}
}

// suspensions is how many of the restless accounts are suspended at once, once enough time has passed.
const suspensions = 3

// timePasses suspends the next restless account, and reactivates the one that has been suspended longest; every third time a
// token is rotated as well.
func (f *fleet) timePasses() {
	nth := func(i int) string { return f.restless[i%len(f.restless)] }
	f.suspend(nth(f.passed))
	if f.passed >= suspensions {
		f.reactivate(nth(f.passed - suspensions))
	}
	if f.passed%3 == 2 {
		f.rotate(nth(f.passed + suspensions))
	}
	f.passed++
}
