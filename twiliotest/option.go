package twiliotest

import "time"

// Option changes a [Server] when it is made.
type Option func(*config)

type config struct {
	seed             uint64
	subaccountLimit  int
	concurrencyLimit int
	recordLimit      int
	hiddenToken      HiddenToken
	trial            bool
	activationDelay  time.Duration
	emptyStock       bool
	serviceLimit     int
	senderLimit      int
	keyLimit         int
	applicationLimit int

	moveKeepsMembership bool
}

func defaults() config {
	return config{subaccountLimit: 1000, recordLimit: 10_000, hiddenToken: TokenEmpty, serviceLimit: 10_000, senderLimit: 400,
		applicationLimit: 1000}
}

// WithSeed makes another series of SIDs, tokens and secrets. Servers of the
// same seed (0 by default) on which the same things are done in the same order
// give the same ones.
func WithSeed(seed uint64) Option {
	return func(c *config) { c.seed = seed << 1 }
}

// WithSubaccountLimit sets how many subaccounts that are not closed the API
// lets exist before it answers 21480; 1000 by default, as at Twilio. It does
// not limit [Server.AddSubaccounts].
func WithSubaccountLimit(n int) Option {
	return func(c *config) { c.subaccountLimit = n }
}

// WithConcurrencyLimit answers 429/20429 to requests beyond n at a time per
// signing account. 0, the default, is no limit.
func WithConcurrencyLimit(n int) Option {
	return func(c *config) { c.concurrencyLimit = n }
}

// WithRecordLimit sets how many of the latest requests [Server.Requests]
// keeps, 10,000 by default. 0 keeps none, which is faster; [Server.Count]
// counts in any case.
func WithRecordLimit(n int) Option {
	return func(c *config) { c.recordLimit = max(n, 0) }
}

// HiddenToken is how an account's JSON looks to a Main API key, which may read
// accounts but not their auth tokens.
type HiddenToken int

// The three forms that a hidden token can have.
const (
	TokenEmpty  HiddenToken = iota // "auth_token": ""
	TokenNull                      // "auth_token": null
	TokenAbsent                    // no "auth_token" at all
)

// WithHiddenToken sets what Main keys see in place of auth tokens. Which form
// Twilio sends is not certain, so a program should cope with all three.
func WithHiddenToken(form HiddenToken) Option {
	return func(c *config) { c.hiddenToken = form }
}

// WithTrialParent makes the parent, and so its new subaccounts, of type Trial.
func WithTrialParent() Option {
	return func(c *config) { c.trial = true }
}

// WithActivationDelay answers 401/20003 to the own credentials of an account
// that was created through the API, until d after its creation, as Twilio does
// for a moment now and then. 0, the default, is no delay.
func WithActivationDelay(d time.Duration) Option {
	return func(c *config) { c.activationDelay = d }
}

// WithEmptyStock begins with no number for sale; see [Server.AddAvailable].
func WithEmptyStock() Option {
	return func(c *config) { c.emptyStock = true }
}

// WithMoveKeepsMembership leaves a phone number that moves to another account
// in the messaging service of the old one, where it is in the way: 21712. By
// default a move takes it out. What Twilio does is not documented.
func WithMoveKeepsMembership() Option {
	return func(c *config) { c.moveKeepsMembership = true }
}

// WithServiceLimit sets how many messaging services an account may have before
// the API answers 30995; 10,000 by default, as at Twilio. It does not limit
// [Server.AddMessagingService].
func WithServiceLimit(n int) Option {
	return func(c *config) { c.serviceLimit = n }
}

// WithSenderLimit sets how many phone numbers a messaging service may have
// before the API answers 21714; 400 by default, as at Twilio. It does not limit
// [Server.AddMessagingService].
func WithSenderLimit(n int) Option {
	return func(c *config) { c.senderLimit = n }
}

// WithKeyLimit sets how many API keys an account may have before the API
// answers 70151. 0, the default, is no limit: Twilio has one, but does not say
// how many. It does not limit [Server.AddKey].
func WithKeyLimit(n int) Option {
	return func(c *config) { c.keyLimit = n }
}

// WithApplicationLimit sets how many applications an account may have before
// the API answers 21301; 1000 by default, as at Twilio. It does not limit
// [Server.AddApplication].
func WithApplicationLimit(n int) Option {
	return func(c *config) { c.applicationLimit = n }
}
