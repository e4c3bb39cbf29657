package main

import (
	"context"
	"fmt"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct"
)

// list: 100,000 accounts, 100 pages of 2.3 MB, in at most 0.8 of the time of net/http and encoding/json into the four
// fields that a fleet is looked through for, and in a quarter of twilio-go's.
func list(ctx context.Context, r *report) error {
	const fleet = 100_000
	t, err := newTwilio(fleet)
	if err != nil {
		return err
	}
	defer t.Close()
	provider, err := ours(t, twilioacct.Options{})
	if err != nil {
		return err
	}
	bare, stock := newBare(t), stock(t)
	f, err := rounds(fewRounds,
		timed("ours", 1, counted(fleet, func() (int, error) { return iterate(ctx, provider) })),
		timed("bare", 1, counted(fleet, func() (int, error) { return bare.list(ctx) })),
		timed("twilio-go", 1, counted(fleet, func() (int, error) {
			all, err := stock.ListAccount(new(api.ListAccountParams).SetPageSize(pageSize))
			return len(all), err
		})))
	if err != nil {
		return err
	}
	r.ratio("100,000 accounts", f[0], f[1], 0.8)
	r.ratio("100,000 accounts", f[0], f[2], 0.25)
	return nil
}

// counted makes the work of timed from a listing, which must not leave any account out.
func counted(all int, list func() (int, error)) func(times int) error {
	return repeat(func() error {
		n, err := list()
		if err == nil && n != all {
			err = fmt.Errorf("%d accounts of %d", n, all)
		}
		return err
	})
}

func iterate(ctx context.Context, provider *twilioacct.Provider) (n int, err error) {
	for a, err := range provider.Accounts(ctx, nil) {
		if err != nil {
			return n, err
		}
		if a.SID != "" {
			n++
		}
	}
	return n, nil
}

// list decodes what it needs and no more, a page at a time.
func (b bare) list(ctx context.Context) (n int, err error) {
	type account struct {
		SID          string `json:"sid"`
		AuthToken    string `json:"auth_token"`
		Status       string `json:"status"`
		FriendlyName string `json:"friendly_name"`
	}
	for path := fmt.Sprintf("/2010-04-01/Accounts.json?PageSize=%d", pageSize); path != ""; {
		var page struct {
			Accounts []account `json:"accounts"`
			Next     string    `json:"next_page_uri"`
		}
		if err := b.get(ctx, path, &page); err != nil {
			return n, err
		}
		for _, a := range page.Accounts {
			if a.SID != "" {
				n++
			}
		}
		path = page.Next
	}
	return n, nil
}
