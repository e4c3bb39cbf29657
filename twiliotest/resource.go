package twiliotest

// A new resource is one file, with its state and its table of routes, and a
// line in each of these two.

type resources struct {
	accounts      accounts
	numbers       phoneNumbers
	stock         stock
	services      collection[MessagingService]
	senders       collection[sender]
	campaigns     collection[campaign]
	verifications verifications
	messages      messages
	calls         collection[Call]
}

var router = newRouter(
	accountRoutes,
	phoneNumberRoutes,
	availableNumberRoutes,
	messagingServiceRoutes,
	campaignRoutes,
	tollFreeRoutes,
	messageRoutes,
	voiceCallRoutes,
)
