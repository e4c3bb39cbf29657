package twiliotest

import (
	"cmp"
	"strconv"
	"time"
)

// PhoneNumber is the state of a phone number that an account owns.
type PhoneNumber struct {
	SID          string
	AccountSID   string
	PhoneNumber  string // E.164
	FriendlyName string
	Type         string // Local, Mobile or TollFree
	Country      string // ISO 3166-1
	Capabilities Capabilities
	Origin       string // twilio or hosted
	Beta         bool
	APIVersion   string

	VoiceURL            string
	VoiceMethod         string
	VoiceFallbackURL    string
	VoiceFallbackMethod string
	VoiceReceiveMode    string // voice or fax
	VoiceCallerIDLookup bool
	VoiceApplicationSID string
	TrunkSID            string

	SMSURL            string
	SMSMethod         string
	SMSFallbackURL    string
	SMSFallbackMethod string
	SMSApplicationSID string

	StatusCallback       string
	StatusCallbackMethod string

	AddressRequirements string // NoAddress, AnyAddress, LocalAddress or ForeignAddress
	AddressSID          string
	NeedsBundle         bool
	BundleSID           string
	IdentitySID         string
	EmergencyStatus     string // Active or Inactive
	EmergencyAddressSID string

	DateCreated time.Time
	DateUpdated time.Time
}

// phoneNumbers is the state of all numbers that somebody owns.
type phoneNumbers struct {
	collection[PhoneNumber]
	byNumber map[string]*PhoneNumber
	numFresh int // numbers made up so far
}

// own makes a number an account's and returns it as it is kept.
func (s *Server) own(n PhoneNumber, now time.Time) *PhoneNumber {
	all := &s.numbers
	n = n.withDefaults()
	n.SID = cmp.Or(n.SID, s.ids.sid("PN"))
	n.DateCreated, n.DateUpdated = cmp.Or(n.DateCreated, now), now
	if all.byNumber == nil {
		all.byNumber = map[string]*PhoneNumber{}
	}
	all.byNumber[n.PhoneNumber] = &n
	all.add(n.AccountSID, n.SID, &n)
	s.stock.take(n.PhoneNumber)
	return &n
}

// withDefaults fills in what Twilio fills in.
func (n PhoneNumber) withDefaults() PhoneNumber {
	const post = "POST"
	n.FriendlyName = cmp.Or(n.FriendlyName, formatted(n.PhoneNumber))
	n.Type = cmp.Or(n.Type, typeOf(n.PhoneNumber))
	n.Country = cmp.Or(n.Country, countryOf(n.PhoneNumber))
	n.Capabilities = n.Capabilities.orUsual()
	n.Origin = cmp.Or(n.Origin, "twilio")
	n.APIVersion = cmp.Or(n.APIVersion, "2010-04-01")
	n.VoiceMethod = cmp.Or(n.VoiceMethod, post)
	n.VoiceFallbackMethod = cmp.Or(n.VoiceFallbackMethod, post)
	n.VoiceReceiveMode = cmp.Or(n.VoiceReceiveMode, "voice")
	n.SMSMethod = cmp.Or(n.SMSMethod, post)
	n.SMSFallbackMethod = cmp.Or(n.SMSFallbackMethod, post)
	n.StatusCallbackMethod = cmp.Or(n.StatusCallbackMethod, post)
	n.AddressRequirements = cmp.Or(n.AddressRequirements, NoAddress)
	n.EmergencyStatus = cmp.Or(n.EmergencyStatus, "Inactive")
	return n
}

// movedTo is a number as it comes to another account: its name, addresses of
// webhooks and methods stay, what belongs to the old account is gone.
func (n PhoneNumber) movedTo(accountSID string) PhoneNumber {
	n.AccountSID = accountSID
	n.VoiceApplicationSID, n.SMSApplicationSID, n.TrunkSID = "", "", ""
	n.AddressSID, n.BundleSID, n.IdentitySID = "", "", ""
	n.EmergencyStatus, n.EmergencyAddressSID = "Inactive", ""
	return n
}

// alter replaces a number by what it has become, maybe in another account.
func (s *Server) alter(n *PhoneNumber, is PhoneNumber, now time.Time) {
	was := n.AccountSID
	*n = is
	n.DateUpdated = now
	if n.AccountSID == was {
		return
	}
	s.numbers.remove(was, n.SID)
	s.numbers.add(n.AccountSID, n.SID, n)
	if !s.config.moveKeepsMembership {
		s.leaveService(n)
	}
}

// giveUp is the end of a number. It does not come back into the stock.
func (s *Server) giveUp(n *PhoneNumber) {
	s.numbers.remove(n.AccountSID, n.SID)
	delete(s.numbers.byNumber, n.PhoneNumber)
	s.leaveService(n)
}

// releaseAll is what becomes of a closed account's numbers.
func (s *Server) releaseAll(a *account) {
	for n := range s.numbers.of(a.SID).each() {
		s.giveUp(n)
	}
}

// fresh returns +14155550101, and next time the number after it, without those
// that are owned or for sale.
func (s *Server) fresh() string {
	for {
		s.numbers.numFresh++
		number := "+" + strconv.Itoa(14155550100+s.numbers.numFresh)
		if _, forSale := s.stock.find(number); !forSale && s.numbers.byNumber[number] == nil {
			return number
		}
	}
}

// AddPhoneNumber gives an account a phone number, whatever Twilio would say.
// What n leaves out gets Twilio's default: a new SID, a number of its own in
// San Francisco, voice, SMS and MMS. The number is no longer for sale. It
// panics if there is no such account, and on a number that is taken or not in
// E.164.
func (s *Server) AddPhoneNumber(accountSID string, n PhoneNumber) PhoneNumber {
	s.mu.Lock()
	defer s.mu.Unlock()
	n.AccountSID = s.accounts.must(accountSID).SID
	if n.PhoneNumber == "" {
		n.PhoneNumber = s.fresh()
	}
	if !isE164(n.PhoneNumber) || s.numbers.byNumber[n.PhoneNumber] != nil || s.numbers.bySID[n.SID] != nil {
		panic("twiliotest: taken or no phone number: " + n.PhoneNumber + " " + n.SID)
	}
	return *s.own(n, time.Now())
}

// PhoneNumber returns a phone number as it is now, whoever owns it, and false
// if nobody does.
func (s *Server) PhoneNumber(sid string) (PhoneNumber, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.numbers.bySID[sid]
	if n == nil {
		return PhoneNumber{}, false
	}
	return *n, true
}

// PhoneNumbers returns the phone numbers of an account, in the order in which
// they came to it.
func (s *Server) PhoneNumbers(accountSID string) []PhoneNumber {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.numbers.of(accountSID).values()
}
