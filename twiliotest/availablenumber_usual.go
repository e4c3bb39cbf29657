package twiliotest

import (
	"strconv"
	"sync"
)

// usual is a stock that does not change.
type usual struct {
	numbers []AvailableNumber
	places  map[string]int
}

// usualStock is what every server begins with. The numbers are in the ranges
// that regulators keep for films, or would be if they needed more of them.
var usualStock = sync.OnceValue(func() usual {
	stock := usual{places: map[string]int{}}
	for _, b := range usualBlocks {
		for _, n := range b.numbers() {
			stock.places[n.PhoneNumber] = len(stock.numbers)
			stock.numbers = append(stock.numbers, n)
		}
	}
	return stock
})

// block is a run of numbers that have everything else in common.
type block struct {
	count int
	first AvailableNumber
}

func (b block) numbers() []AvailableNumber {
	first, err := strconv.Atoi(b.first.PhoneNumber[1:])
	if err != nil {
		panic(err) // the blocks are below
	}
	numbers := make([]AvailableNumber, b.count)
	for i := range numbers {
		n := b.first
		n.PhoneNumber = "+" + strconv.Itoa(first+i)
		numbers[i] = n.withDefaults()
	}
	return numbers
}

var (
	voiceOnly   = Capabilities{Voice: true}
	voiceAndSMS = Capabilities{Voice: true, SMS: true}

	sanFrancisco = AvailableNumber{PhoneNumber: "+14155552000", Locality: "San Francisco", Region: "CA", PostalCode: "94105",
		RateCenter: "SNFC CNTRL", LATA: "722", Latitude: 37.79, Longitude: -122.4}
	sanRafael = AvailableNumber{PhoneNumber: "+14155553000", Locality: "San Rafael", Region: "CA", PostalCode: "94901",
		RateCenter: "SAN RAFAEL", LATA: "722", Latitude: 37.97, Longitude: -122.53}
	newYork = AvailableNumber{PhoneNumber: "+12125552000", Locality: "New York", Region: "NY", PostalCode: "10001",
		RateCenter: "NWYRCYZN01", LATA: "132", Latitude: 40.75, Longitude: -73.99}
	seattle = AvailableNumber{PhoneNumber: "+12065552000", Locality: "Seattle", Region: "WA", PostalCode: "98101",
		RateCenter: "SEATTLE", LATA: "674", Latitude: 47.61, Longitude: -122.33}
	austin = AvailableNumber{PhoneNumber: "+15125552000", Locality: "Austin", Region: "TX", PostalCode: "78701",
		RateCenter: "AUSTIN", LATA: "558", Latitude: 30.27, Longitude: -97.74}
	toronto = AvailableNumber{PhoneNumber: "+14165552000", Locality: "Toronto", Region: "ON", PostalCode: "M5V",
		RateCenter: "TORONTO", LATA: "888", Latitude: 43.65, Longitude: -79.38}
)

var usualBlocks = []block{
	{60, sanFrancisco}, {20, sanRafael}, {60, newYork}, {60, seattle}, {60, austin},
	{5, sanFrancisco.from("+14155554000", voiceOnly, false)},
	{5, sanFrancisco.from("+14155555000", Capabilities{}, true)},
	{20, AvailableNumber{PhoneNumber: "+18005552000"}},
	{20, AvailableNumber{PhoneNumber: "+18885552000"}},
	{20, AvailableNumber{PhoneNumber: "+18445552000"}},
	{40, toronto},
	{40, AvailableNumber{PhoneNumber: "+442079460000", Locality: "London", Capabilities: voiceOnly}},
	{40, AvailableNumber{PhoneNumber: "+447700900000", Capabilities: voiceAndSMS}},
	{40, AvailableNumber{PhoneNumber: "+493023125000", Locality: "Berlin", Capabilities: voiceOnly,
		AddressRequirements: LocalAddress, NeedsBundle: true}},
	{40, AvailableNumber{PhoneNumber: "+33639980000", Capabilities: voiceAndSMS, AddressRequirements: AnyAddress}},
}

// from is another block at the same place.
func (n AvailableNumber) from(first string, can Capabilities, beta bool) AvailableNumber {
	n.PhoneNumber, n.Capabilities, n.Beta = first, can, beta
	return n
}

var usualCountries = []string{"US", "CA", "GB", "DE", "FR"}
