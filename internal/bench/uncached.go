package main

import (
	"context"
	"time"

	"github.com/twilioacct/twilioacct"
)

// uncached: fetching an account costs at most 1.4 times the bare request with the same fields decoded, and no more than twilio-go
// by itself, which parses no dates. The request goes over loopback: against Twilio, some 100 ms away, none of this shows.
func uncached(ctx context.Context, r *report) error {
	t, err := newTwilio(pageSize)
	if err != nil {
		return err
	}
	defer t.Close()
	provider, err := ours(t, twilioacct.Options{CacheTime: -1})
	if err != nil {
		return err
	}
	bare, stock := newBare(t), stock(t)
	const times = 500
	f, err := rounds(manyRounds,
		timed("ours", times, repeat(func() error { _, err := provider.Account(ctx, t.Subaccount); return err })),
		timed("bare", times, repeat(func() error { _, err := bare.account(ctx, t.Subaccount); return err })),
		timed("twilio-go", times, repeat(func() error { _, err := stock.FetchAccount(t.Subaccount); return err })))
	if err != nil {
		return err
	}
	r.ratio("uncached account", f[0], f[1], 1.4)
	r.ratio("uncached account", f[0], f[2], 1)
	return nil
}

// bareAccount is an account as somebody would decode it by hand.
type bareAccount struct {
	SID             string `json:"sid"`
	FriendlyName    string `json:"friendly_name"`
	Status          string `json:"status"`
	Type            string `json:"type"`
	AuthToken       string `json:"auth_token"`
	OwnerAccountSID string `json:"owner_account_sid"`
	RawCreated      string `json:"date_created"`
	RawUpdated      string `json:"date_updated"`
	URI             string `json:"uri"`

	DateCreated, DateUpdated time.Time `json:"-"`
}

func (b bare) account(ctx context.Context, sid string) (a bareAccount, err error) {
	if err := b.get(ctx, "/2010-04-01/Accounts/"+sid+".json", &a); err != nil {
		return a, err
	}
	if a.DateCreated, err = time.Parse(time.RFC1123Z, a.RawCreated); err != nil {
		return a, err
	}
	a.DateUpdated, err = time.Parse(time.RFC1123Z, a.RawUpdated)
	return a, err
}
