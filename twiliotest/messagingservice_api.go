package twiliotest

import (
	"net/http"
	"time"
)

const (
	messagingHost = "messaging.twilio.com"

	servicesPath = "/v1/Services"
	servicePath  = "/v1/Services/{ServiceSid:MG}"
	sendersPath  = "/v1/Services/{ServiceSid:MG}/PhoneNumbers"
	senderPath   = "/v1/Services/{ServiceSid:MG}/PhoneNumbers/{Sid:PN}"

	maxValidityPeriod = 36_000
)

// There is no account in these paths: services are those of whoever signs.
var messagingServiceRoutes = []route{
	{operation: "CreateService", method: http.MethodPost, host: messagingHost, path: servicesPath,
		params: paramsOf(serviceSettings), handle: createService},
	{operation: "ListService", method: http.MethodGet, host: messagingHost, path: servicesPath,
		params: paged(), handle: listServices},
	{operation: "FetchService", method: http.MethodGet, host: messagingHost, path: servicePath,
		handle: withService(20404, fetchService)},
	{operation: "UpdateService", method: http.MethodPost, host: messagingHost, path: servicePath,
		params: paramsOf(serviceSettings), handle: withService(20404, updateService)},
	{operation: "DeleteService", method: http.MethodDelete, host: messagingHost, path: servicePath,
		handle: withService(20404, deleteService)},

	{operation: "CreatePhoneNumber", method: http.MethodPost, host: messagingHost, path: sendersPath,
		params: []string{"PhoneNumberSid"}, handle: withService(21701, addSender)},
	{operation: "ListPhoneNumber", method: http.MethodGet, host: messagingHost, path: sendersPath,
		params: paged(), handle: withService(21701, listSenders)},
	{operation: "FetchPhoneNumber", method: http.MethodGet, host: messagingHost, path: senderPath,
		handle: withService(21701, withSender(fetchSender))},
	{operation: "DeletePhoneNumber", method: http.MethodDelete, host: messagingHost, path: senderPath,
		handle: withService(21701, withSender(removeSender))},
}

var serviceSettings = []setting[MessagingService]{
	text("FriendlyName", aRequiredName, func(m *MessagingService) *string { return &m.FriendlyName }),
	text("InboundRequestUrl", anyURL, func(m *MessagingService) *string { return &m.InboundRequestURL }),
	text("InboundMethod", anyMethod, func(m *MessagingService) *string { return &m.InboundMethod }),
	text("FallbackUrl", anyURL, func(m *MessagingService) *string { return &m.FallbackURL }),
	text("FallbackMethod", anyMethod, func(m *MessagingService) *string { return &m.FallbackMethod }),
	text("StatusCallback", anyURL, func(m *MessagingService) *string { return &m.StatusCallback }),
	flag("StickySender", func(m *MessagingService) *bool { return &m.StickySender }),
	flag("MmsConverter", func(m *MessagingService) *bool { return &m.MMSConverter }),
	flag("SmartEncoding", func(m *MessagingService) *bool { return &m.SmartEncoding }),
	text("ScanMessageContent", oneOf(20001, "inherit", "enable", "disable"),
		func(m *MessagingService) *string { return &m.ScanMessageContent }),
	flag("FallbackToLongCode", func(m *MessagingService) *bool { return &m.FallbackToLongCode }),
	flag("AreaCodeGeomatch", func(m *MessagingService) *bool { return &m.AreaCodeGeomatch }),
	count("ValidityPeriod", between(20001, 1, maxValidityPeriod), func(m *MessagingService) *int { return &m.ValidityPeriod }),
	flag("SynchronousValidation", func(m *MessagingService) *bool { return &m.SynchronousValidation }),
	text("Usecase", oneOf(21713, "notifications", "marketing", "verification", "discussion", "poll", "undeclared"),
		func(m *MessagingService) *string { return &m.Usecase }),
	flag("UseInboundWebhookOnNumber", func(m *MessagingService) *bool { return &m.UseInboundWebhookOnNumber }),
}

func aRequiredName(value string) int {
	if value == "" {
		return 20001
	}
	return aName(value)
}

func withService(unknown int, handle func(*call, *MessagingService) answer) func(*call) answer {
	return func(c *call) answer {
		m := c.server.services.of(c.signer.account.SID).get(c.pathVar("ServiceSid"))
		if m == nil {
			return c.refuse(unknown)
		}
		return handle(c, m)
	}
}

func createService(c *call) answer {
	owner := c.signer.account.SID
	m, code := settled(c, serviceSettings, MessagingService{AccountSID: owner,
		StickySender: true, MMSConverter: true, SmartEncoding: true, FallbackToLongCode: true, AreaCodeGeomatch: true})
	switch {
	case code != 0:
		return c.refuse(code)
	case m.FriendlyName == "":
		return c.refuse(20001)
	case c.server.services.of(owner).count() >= c.server.config.serviceLimit:
		return c.refuse(30995)
	}
	return jsonAnswer(http.StatusCreated, c.server.openService(m, time.Now()).json())
}

func listServices(c *call) answer {
	return listSeries(c, "services", c.server.services.of(c.signer.account.SID), every, (*MessagingService).json)
}

func fetchService(_ *call, m *MessagingService) answer {
	return jsonAnswer(http.StatusOK, m.json())
}

func updateService(c *call, m *MessagingService) answer {
	is, code := settled(c, serviceSettings, *m)
	if code != 0 {
		return c.refuse(code)
	}
	*m = is
	m.DateUpdated = time.Now()
	return jsonAnswer(http.StatusOK, m.json())
}

func deleteService(c *call, m *MessagingService) answer {
	c.server.closeService(m)
	return noContent()
}

func addSender(c *call, m *MessagingService) answer {
	sid, _ := c.param("PhoneNumberSid")
	n := c.server.numbers.of(m.AccountSID).get(sid)
	if code := c.server.senderRefusal(m, n); code != 0 {
		return c.refuse(code)
	}
	member := c.server.joinService(m, n, time.Now())
	return jsonAnswer(http.StatusCreated, member.json(m.AccountSID))
}

// senderRefusal is the code for a number that may not come into a service, 0 if
// it may. A number that is nil is not the account's.
func (s *Server) senderRefusal(m *MessagingService, n *PhoneNumber) int {
	if n == nil {
		return 21421
	}
	member := s.senders.bySID[n.SID]
	switch {
	case member != nil && member.serviceSID == m.SID:
		return 21710
	case member != nil:
		return 21712
	case !n.Capabilities.SMS && !n.Capabilities.MMS:
		return 21715
	case s.senders.of(m.SID).count() >= s.config.senderLimit:
		return 21714
	}
	return 0
}

func withSender(handle func(*call, *MessagingService, *sender) answer) func(*call, *MessagingService) answer {
	return func(c *call, m *MessagingService) answer {
		member := c.server.senders.of(m.SID).get(c.pathVar("Sid"))
		if member == nil {
			return c.refuse(20404)
		}
		return handle(c, m, member)
	}
}

func listSenders(c *call, m *MessagingService) answer {
	render := func(member *sender) []byte { return member.json(m.AccountSID) }
	return listSeries(c, "phone_numbers", c.server.senders.of(m.SID), every, render)
}

func fetchSender(_ *call, m *MessagingService, member *sender) answer {
	return jsonAnswer(http.StatusOK, member.json(m.AccountSID))
}

func removeSender(c *call, _ *MessagingService, member *sender) answer {
	c.server.leaveService(member.number)
	return noContent()
}
