package twilioacct

import (
	"context"
	"time"
)

// Health says how an account is.
type Health struct {
	SID         string
	Name        string
	Status      Status
	Type        AccountType
	IsActive    bool
	IsTrial     bool
	LastChecked time.Time
}

// Health asks Twilio, never the cache, how the account is. That it is suspended or closed is a value. An error says that it
// could not be seen: the Health beside it has the SID and the time, and is not active.
func (p *Provider) Health(ctx context.Context, sid string) (Health, error) {
	h := Health{SID: sid, LastChecked: time.Now()}
	if err := checkCall(ctx, sid); err != nil {
		return h, err
	}
	a, err := p.look(ctx, sid)
	if err != nil {
		return h, err
	}
	h.Name, h.Status, h.Type = a.FriendlyName, a.Status, a.Type
	h.IsActive, h.IsTrial = a.Status == StatusActive, a.Type == TypeTrial
	return h, nil
}
