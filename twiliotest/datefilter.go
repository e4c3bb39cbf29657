package twiliotest

import "time"

// dateFilter is what the parameters name, name< and name> of a list ask for;
// false if one of them is no date. Each takes a day, YYYY-MM-DD in UTC, or a
// moment:
//
//	name   on that day, or on the day of that moment
//	name>  from the beginning of the day on, or from the moment on
//	name<  before the moment or the day; and on the day, too, if that lasts
//
// What has no date is never found by one. For name< a day lasts 24 hours in
// some lists, and no time in others.
func (c *call) dateFilter(name string, lasts time.Duration) (matches func(time.Time) bool, ok bool) {
	const day = 24 * time.Hour
	on, onOK := c.dateParam(name)
	before, beforeOK := c.dateParam(name + "<")
	after, afterOK := c.dateParam(name + ">")
	on.Time = on.Truncate(day) // of UTC
	if before.isDay {
		before.Time = before.Add(lasts)
	}
	return func(t time.Time) bool {
		return (!on.sent || !t.Before(on.Time) && t.Before(on.Add(day))) &&
			(!before.sent || t.Before(before.Time) && !t.IsZero()) &&
			(!after.sent || !t.Before(after.Time))
	}, onOK && beforeOK && afterOK
}

type dateParam struct {
	time.Time
	sent, isDay bool
}

func (c *call) dateParam(name string) (d dateParam, ok bool) {
	value, sent := c.param(name)
	if !sent {
		return d, true
	}
	if t, err := time.Parse(time.DateOnly, value); err == nil {
		return dateParam{t, true, true}, true
	}
	t, err := time.Parse(time.RFC3339, value)
	return dateParam{t, true, false}, err == nil
}
