package twiliotest

// A new resource is one file, with its state and its table of routes, and a
// line in each of these two.

type resources struct {
	accounts      accounts
	keys          collection[Key]
	numbers       phoneNumbers
	stock         stock
	services      collection[MessagingService]
	senders       collection[sender]
	campaigns     collection[campaign]
	verifications verifications
	messages      messages
	applications  collection[Application]
	calls         collection[Call]
	callerIDs     map[callerID]bool
}

var router = newRouter(
	accountRoutes,
	keyRoutes,
	phoneNumberRoutes,
	availableNumberRoutes,
	messagingServiceRoutes,
	campaignRoutes,
	tollFreeRoutes,
	messageRoutes,
	applicationRoutes,
	voiceCallRoutes,
)
