package twiliotest

import (
	"cmp"
	"iter"
	"net/http"
)

// AvailableNumber is a phone number that is for sale.
type AvailableNumber struct {
	PhoneNumber         string // E.164
	FriendlyName        string
	Type                string // Local, Mobile or TollFree
	Country             string // ISO 3166-1
	Capabilities        Capabilities
	AddressRequirements string // NoAddress, AnyAddress, LocalAddress or ForeignAddress
	NeedsBundle         bool   // to be bought; searches do not show it
	Beta                bool

	// Twilio knows these of local numbers, most of them in the US and Canada
	// alone.
	Locality   string
	Region     string
	PostalCode string
	RateCenter string
	LATA       string
	Latitude   float64 // both 0 if unknown
	Longitude  float64
}

func (n AvailableNumber) withDefaults() AvailableNumber {
	n.FriendlyName = cmp.Or(n.FriendlyName, formatted(n.PhoneNumber))
	n.Type = cmp.Or(n.Type, typeOf(n.PhoneNumber))
	n.Country = cmp.Or(n.Country, countryOf(n.PhoneNumber))
	n.AddressRequirements = cmp.Or(n.AddressRequirements, NoAddress)
	n.Capabilities = n.Capabilities.orUsual()
	return n
}

// ownedBy is the number as somebody has it who buys it.
func (n AvailableNumber) ownedBy(accountSID string) PhoneNumber {
	return PhoneNumber{
		AccountSID:          accountSID,
		PhoneNumber:         n.PhoneNumber,
		FriendlyName:        n.FriendlyName,
		Type:                n.Type,
		Country:             n.Country,
		Capabilities:        n.Capabilities,
		AddressRequirements: n.AddressRequirements,
		NeedsBundle:         n.NeedsBundle,
		Beta:                n.Beta,
	}.withDefaults()
}

// stock is what is for sale: what tests have added, and then what every server
// begins with, of which there is one copy for all.
type stock struct {
	added  []AvailableNumber
	places map[string]int  // of those, by number
	gone   map[string]bool // what is sold, by number
	empty  bool            // without what every server begins with
}

func (s *stock) find(number string) (AvailableNumber, bool) {
	n, known := s.known(number)
	return n, known && !s.gone[number]
}

// known returns numbers that are sold, too.
func (s *stock) known(number string) (AvailableNumber, bool) {
	if place, ok := s.places[number]; ok {
		return s.added[place], true
	}
	place, ok := usualStock().places[number]
	if !ok || s.empty {
		return AvailableNumber{}, false
	}
	return usualStock().numbers[place], true
}

// all goes through what is for sale, in the order of searches.
func (s *stock) all() iter.Seq[AvailableNumber] {
	return func(yield func(AvailableNumber) bool) {
		for n := range s.ever() {
			if !s.gone[n.PhoneNumber] && !yield(n) {
				return
			}
		}
	}
}

// ever goes through what is sold, too.
func (s *stock) ever() iter.Seq[AvailableNumber] {
	return func(yield func(AvailableNumber) bool) {
		for _, n := range s.added {
			if !yield(n) {
				return
			}
		}
		for _, n := range usualStock().numbers {
			if _, again := s.places[n.PhoneNumber]; !again && !s.empty && !yield(n) {
				return
			}
		}
	}
}

// inArea returns the number that Twilio picks for somebody who asks for no
// more than an area code.
func (s *stock) inArea(code string) (AvailableNumber, bool) {
	for n := range s.all() {
		if n.Type == Local && areaCode(n.PhoneNumber) == code {
			return n, true
		}
	}
	return AvailableNumber{}, false
}

func (s *stock) put(n AvailableNumber) {
	if s.places == nil {
		s.places = map[string]int{}
	}
	delete(s.gone, n.PhoneNumber)
	if place, ok := s.places[n.PhoneNumber]; ok {
		s.added[place] = n
		return
	}
	s.places[n.PhoneNumber] = len(s.added)
	s.added = append(s.added, n)
}

func (s *stock) take(number string) {
	if s.gone == nil {
		s.gone = map[string]bool{}
	}
	s.gone[number] = true
}

// AddAvailable puts phone numbers up for sale, also ones that had been sold and
// released. Searches show them before the numbers that every server begins
// with. Type, country and friendly name follow from the number where they are
// left out. It panics on what is no number in E.164, or is somebody's.
func (s *Server) AddAvailable(numbers ...AvailableNumber) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range numbers {
		if !isE164(n.PhoneNumber) || s.numbers.byNumber[n.PhoneNumber] != nil {
			panic("twiliotest: not to be sold: " + n.PhoneNumber)
		}
		s.stock.put(n.withDefaults())
	}
}

// TakeAvailable lets somebody else buy a number, as may happen between a search
// and a purchase. It panics if the number is not for sale.
func (s *Server) TakeAvailable(number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, forSale := s.stock.find(number); !forSale {
		panic("twiliotest: not for sale: " + number)
	}
	s.stock.take(number)
}

const searchPath = "/2010-04-01/Accounts/{AccountSid:AC}/AvailablePhoneNumbers/{CountryCode:cc}/"

var availableNumberRoutes = []route{
	{operation: "ListAvailablePhoneNumberLocal", method: http.MethodGet, host: apiHost, path: searchPath + "Local.json",
		params: searchParams(), handle: reading(searching(Local))},
	{operation: "ListAvailablePhoneNumberMobile", method: http.MethodGet, host: apiHost, path: searchPath + "Mobile.json",
		params: searchParams(), handle: reading(searching(Mobile))},
	{operation: "ListAvailablePhoneNumberTollFree", method: http.MethodGet, host: apiHost, path: searchPath + "TollFree.json",
		params: searchParams(), handle: reading(searching(TollFree))},
}
