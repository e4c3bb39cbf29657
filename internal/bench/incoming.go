package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// incoming: with Twilio 50 ms away, one URL comes to answer the calls to 500 numbers at least 12 times as fast as with twilio-go one
// number after another: for the numbers of one account, and for those of 100 accounts. A second run, of another process, finds nothing to
// change, and makes only the requests that list. One after another takes 25 s a round or more, so that side lists all, sets a tenth, and
// counts that ten times.
func incoming(ctx context.Context, r *report) error {
	for _, e := range estates {
		f, err := rounds(fewRounds,
			side{"at once", func() (time.Duration, error) { return e.atOnce(ctx) }},
			side{"one by one", e.oneByOne})
		if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
		r.faster(e.name, f[0], f[1], 12)
		again, err := e.again(ctx)
		if err != nil {
			return fmt.Errorf("%s, once more: %w", e.name, err)
		}
		r.same("  once more", again.String(), e.lists.String())
	}
	return nil
}

// estate is a fleet whose numbers are to be answered, and how that is done: through a handle, or for all accounts.
type estate struct {
	name     string
	accounts int
	numbers  int // of each account
	set      func(context.Context, *twilioacct.Provider, []string) ([]twilioacct.IncomingNumber, error)
	loop     func(callLoop, []string) (time.Duration, error)
	lists    kinds // of requests of a second run
}

var estates = []estate{
	{"500 numbers of one account", 1, 500, setAccount, callLoop.account, kinds{lists: 1}},
	{"5 numbers of each of 100", 100, 5, setFleet, callLoop.fleet, kinds{lists: 101}},
}

const voiceURL = "https://falcon.example/voice"

var wanted = twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{URL: voiceURL}}

func setAccount(ctx context.Context, p *twilioacct.Provider, sids []string) ([]twilioacct.IncomingNumber, error) {
	return p.Subaccount(sids[0]).SetIncomingCalls(ctx, wanted)
}

func setFleet(ctx context.Context, p *twilioacct.Provider, _ []string) ([]twilioacct.IncomingNumber, error) {
	done, err := p.SetIncomingCalls(ctx, func(twilioacct.Account) *twilioacct.IncomingCalls { return &wanted })
	return done.Numbers, err
}

// start is a new Twilio, 50 ms away, where something else answers all numbers.
func (e estate) start() (fake *twiliotest.Server, sids []string) {
	fake = twiliotest.Start()
	sids = fake.AddSubaccounts(e.accounts)
	for _, sid := range sids {
		for range e.numbers {
			fake.AddPhoneNumber(sid, twiliotest.PhoneNumber{VoiceURL: "https://old.example/voice"})
		}
	}
	fake.Inject(twiliotest.Fault{Delay: 50 * time.Millisecond, Times: twiliotest.Always})
	return fake, sids
}

// atOnce is how long ours takes.
func (e estate) atOnce(ctx context.Context) (time.Duration, error) {
	fake, sids := e.start()
	defer fake.Close()
	provider, err := on(fake, twilioacct.Options{HTTPClient: fake.HTTPClient()})
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if _, err := e.set(ctx, provider, sids); err != nil {
		return 0, err
	}
	return time.Since(start), answered(fake, e.accounts*e.numbers)
}

// oneByOne is how long the loop would take for all, which it has done for a tenth.
func (e estate) oneByOne() (time.Duration, error) {
	fake, sids := e.start()
	defer fake.Close()
	took, err := e.loop(callLoop{fake}, sids)
	if err != nil {
		return 0, err
	}
	return took, answered(fake, e.accounts*e.numbers/10)
}

// again is what a second run asks for. It is another process, that knows what is in the Store.
func (e estate) again(ctx context.Context) (made kinds, err error) {
	fake, sids := e.start()
	defer fake.Close()
	store := twilioacct.NewMemStore().Making()
	for range 2 {
		fake.ForgetRequests()
		provider, err := on(fake, twilioacct.Options{HTTPClient: fake.HTTPClient(), Store: store})
		if err != nil {
			return made, err
		}
		if _, err := e.set(ctx, provider, sids); err != nil {
			return made, err
		}
	}
	return kindsOf(fake), answered(fake, e.accounts*e.numbers)
}

// answered is nil if so many numbers of the fleet are answered by the URL, and by nothing that counts before it.
func answered(fake *twiliotest.Server, numbers int) error {
	n := 0
	for _, a := range fake.Subaccounts() {
		for _, number := range fake.PhoneNumbers(a.SID) {
			if number.VoiceURL == voiceURL && number.VoiceMethod == "POST" && number.VoiceApplicationSID == "" && number.TrunkSID == "" {
				n++
			}
		}
	}
	if n != numbers {
		return fmt.Errorf("%d numbers are answered, not %d", n, numbers)
	}
	return nil
}

// kinds are the requests that were made, those that list apart.
type kinds struct{ lists, others int }

func (k kinds) String() string { return fmt.Sprintf("lists: %d, others: %d", k.lists, k.others) }

func kindsOf(fake *twiliotest.Server) (made kinds) {
	for _, r := range fake.Requests() {
		if strings.HasPrefix(r.Operation, "List") {
			made.lists++
		} else {
			made.others++
		}
	}
	return made
}

// callLoop is the loop as people write it, with twilio-go: list, then set one number after another, whatever it is set to. It asks for
// large pages, and knows the tokens.
type callLoop struct{ fake *twiliotest.Server }

// account is the loop over the numbers of one, by its own token.
func (l callLoop) account(sids []string) (time.Duration, error) {
	account, _ := l.fake.Account(sids[0])
	service := stockOver(l.fake.HTTPClient().Transport, account.SID, account.AuthToken)
	start := time.Now()
	numbers, err := service.ListIncomingPhoneNumber(new(api.ListIncomingPhoneNumberParams).SetPageSize(pageSize))
	if err != nil {
		return 0, err
	}
	listed := time.Since(start)
	set, err := aTenth(numbers, func(n api.ApiV2010IncomingPhoneNumber) error { return setNumber(service, n) })
	return listed + set, err
}

// fleet is the loop over all accounts, and over the numbers of each, as the parent.
func (l callLoop) fleet(sids []string) (time.Duration, error) {
	parent := l.fake.Parent()
	service := stockOver(l.fake.HTTPClient().Transport, parent.SID, parent.AuthToken)
	start := time.Now()
	all, err := service.ListAccount(new(api.ListAccountParams).SetPageSize(pageSize))
	if err != nil {
		return 0, err
	}
	listed := time.Since(start)
	if len(all) != len(sids)+1 { // the parent is one of its own
		return 0, fmt.Errorf("%d accounts were listed, not %d", len(all), len(sids)+1)
	}
	set, err := aTenth(sids, func(sid string) error { return setNumbers(service, sid) })
	return listed + set, err
}

func setNumbers(service *api.ApiService, sid string) error {
	numbers, err := service.ListIncomingPhoneNumber(
		new(api.ListIncomingPhoneNumberParams).SetPathAccountSid(sid).SetPageSize(pageSize))
	if err != nil {
		return err
	}
	for _, n := range numbers {
		if err := setNumber(service, n); err != nil {
			return err
		}
	}
	return nil
}

func setNumber(service *api.ApiService, n api.ApiV2010IncomingPhoneNumber) error {
	_, err := service.UpdateIncomingPhoneNumber(*n.Sid, new(api.UpdateIncomingPhoneNumberParams).
		SetPathAccountSid(*n.AccountSid).
		SetVoiceUrl(voiceURL).SetVoiceMethod("POST").SetVoiceApplicationSid("").SetTrunkSid(""))
	return err
}

// aTenth does that with a tenth of the items, and returns how long all of them would take.
func aTenth[T any](items []T, do func(T) error) (time.Duration, error) {
	start := time.Now()
	for _, item := range items[:len(items)/10] {
		if err := do(item); err != nil {
			return 0, err
		}
	}
	return 10 * time.Since(start), nil
}
