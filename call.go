package twilioacct

import (
	"context"
	"errors"
	"iter"
	"slices"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct/internal/page"
)

// EndCalls ends the calls of the subaccount that are queued, ringing or under way, as the parent: a suspension leaves them running,
// and they cost on. It returns how many it has ended; one that ends by itself meanwhile counts, too. Repeating it is safe.
//
// It makes a request for each call, many at once, after three that look for them. What cannot be ended is in the error, and keeps no
// other from being ended.
//
// https://www.twilio.com/docs/voice/api/call-resource
func (p *Provider) EndCalls(ctx context.Context, sid string) (ended int, err error) {
	sid, err = p.subaccountSID(ctx, sid)
	if err != nil {
		return 0, err
	}
	var live []liveCall
	var unread []error
	for _, status := range []string{"queued", "ringing", "in-progress"} { // as a call goes on, so that none is passed by
		for c, err := range p.calls(ctx, sid, status) {
			if err != nil {
				unread = append(unread, err)
			} else if !slices.Contains(live, c) {
				live = append(live, c)
			}
		}
	}
	errs := eachOf(ctx, live, p.concurrent, func(ctx context.Context, c liveCall) error { return p.endCall(ctx, c) })
	return len(live) - len(errs), errors.Join(append(errs, unread...)...)
}

func (p *Provider) calls(ctx context.Context, account, status string) iter.Seq2[liveCall, error] {
	call := p.asParent(ctx).Lean()
	service := api.NewApiService(call.Handler())
	params := new(api.ListCallParams).SetPathAccountSid(account).SetStatus(status).SetPageSize(largestPage)
	return listed(call, account, page.All(ctx, call, func(at page.Cursor) ([]api.ApiV2010Call, *string, error) {
		raw, err := service.PageCall(params, at.Token, at.Number)
		if err != nil {
			return nil, nil, err
		}
		return raw.Calls, raw.NextPageUri, nil
	}, newLiveCall))
}

func (p *Provider) endCall(ctx context.Context, c liveCall) error {
	call := p.asParent(ctx).Repeatable().Single() // a call that is ended twice has ended
	end := new(api.UpdateCallParams).SetPathAccountSid(c.account).SetStatus("completed")
	raw, err := api.NewApiService(call.Handler()).UpdateCall(c.sid, end)
	if codeOf(err) == codeCallHasEnded {
		return nil
	}
	_, err = answered(call, c.account, c.sid, raw, err, newLiveCall)
	return err
}

// liveCall is as much of a call as it takes to end it.
type liveCall struct{ sid, account string }

func (c liveCall) identity() (sid, kind, account string) { return c.sid, "CA", c.account }

func newLiveCall(raw *api.ApiV2010Call) liveCall {
	return liveCall{sid: value(raw.Sid), account: value(raw.AccountSid)}
}
