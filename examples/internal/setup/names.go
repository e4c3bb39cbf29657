package setup

import "strings"

// companyName is the i-th of 5,040 names of companies, no two of which are the same.
func companyName(i int) string {
	const step = 1847 // a prime, so every combination comes once
	i = i * step % (len(firstWords) * len(trades))
	return firstWords[i%len(firstWords)] + " " + trades[i/len(firstWords)]
}

var firstWords = strings.Fields(`
	Alder Amber Anchor Arrow Aspen Atlas Aurora Basalt Beacon Birch Bluebell Bramble
	Bridge Brook Canyon Cedar Cinder Clover Cobalt Comet Copper Coral Crane Crescent
	Dahlia Delta Drift Eagle Ember Falcon Fern Finch Flint Foxglove Garnet Glacier
	Grove Harbor Hazel Heron Hill Indigo Ivory Jasper Juniper Kestrel Lantern Larch
	Linden Lotus Lynx Maple Marigold Meadow Mistral Nimbus Oak Orchard Osprey Pebble
	Pine Plover Quartz Quill Raven Ridge River Robin Saffron Sparrow Thistle Willow`)

var trades = strings.Split("Accounting,Analytics,Architects,Auctions,Audio,Bakery,Bicycles,Books,Brewery,Builders,"+
	"Cameras,Carpentry,Catering,Ceramics,Chocolates,Cinemas,Cleaning,Coaching,Coffee,Couriers,"+
	"Dairy,Dental,Design,Diagnostics,Diving,Drones,Dry Cleaning,Electric,Elevators,Energy,"+
	"Events,Fabrics,Farms,Fitness,Flights,Florists,Freight,Furniture,Gardens,Glassworks,"+
	"Hardware,Hearing,Hotels,Insurance,Interiors,Jewelers,Kitchens,Labs,Language School,Lending,"+
	"Logistics,Marine,Media,Mobility,Music,Notaries,Opticians,Outfitters,Paints,Pharmacy,"+
	"Physio,Plumbing,Printing,Properties,Recycling,Roofing,Sailing,Solar,Taxis,Veterinary", ",")

// oddNames are what a page has to show as it is: markup, right-to-left scripts, the longest name that Twilio takes.
var oddNames = []string{
	`Smith & Daughters <b>Bold</b> "Ideas"`,
	`Robin Repairs <script>alert("Robin")</script>`,
	"مخبز الياسمين",
	"מאפיית השקד (Almond Bakery)",
	"東京珈琲店",
	"Café Athéné 🦉",
	"Rindfleischetikettierungsüberwachungsaufgabenübertragungs-Kontor",
}
