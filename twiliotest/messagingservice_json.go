package twiliotest

// json is a service as Twilio shows it. What is not set is null.
func (m *MessagingService) json() []byte {
	url := "https://" + messagingHost + "/v1/Services/" + m.SID
	return mustJSON(serviceJSON{
		AccountSID:                m.AccountSID,
		SID:                       m.SID,
		DateCreated:               iso8601{m.DateCreated},
		DateUpdated:               iso8601{m.DateUpdated},
		FriendlyName:              m.FriendlyName,
		InboundRequestURL:         orNull(m.InboundRequestURL),
		InboundMethod:             m.InboundMethod,
		FallbackURL:               orNull(m.FallbackURL),
		FallbackMethod:            m.FallbackMethod,
		StatusCallback:            orNull(m.StatusCallback),
		StickySender:              m.StickySender,
		SmartEncoding:             m.SmartEncoding,
		MMSConverter:              m.MMSConverter,
		FallbackToLongCode:        m.FallbackToLongCode,
		ScanMessageContent:        m.ScanMessageContent,
		AreaCodeGeomatch:          m.AreaCodeGeomatch,
		ValidityPeriod:            m.ValidityPeriod,
		SynchronousValidation:     m.SynchronousValidation,
		Usecase:                   m.Usecase,
		USAppToPersonRegistered:   m.USAppToPersonRegistered,
		UseInboundWebhookOnNumber: m.UseInboundWebhookOnNumber,
		Links: map[string]string{
			"phone_numbers":             url + "/PhoneNumbers",
			"short_codes":               url + "/ShortCodes",
			"alpha_senders":             url + "/AlphaSenders",
			"messages":                  url + "/Messages",
			"us_app_to_person":          url + "/Compliance/Usa2p",
			"us_app_to_person_usecases": url + "/Compliance/Usa2p/Usecases",
			"channel_senders":           url + "/ChannelSenders",
			"destination_alpha_senders": url + "/DestinationAlphaSenders",
		},
		URL: url,
	})
}

type serviceJSON struct {
	AccountSID                string            `json:"account_sid"`
	SID                       string            `json:"sid"`
	DateCreated               iso8601           `json:"date_created"`
	DateUpdated               iso8601           `json:"date_updated"`
	FriendlyName              string            `json:"friendly_name"`
	InboundRequestURL         *string           `json:"inbound_request_url"`
	InboundMethod             string            `json:"inbound_method"`
	FallbackURL               *string           `json:"fallback_url"`
	FallbackMethod            string            `json:"fallback_method"`
	StatusCallback            *string           `json:"status_callback"`
	StickySender              bool              `json:"sticky_sender"`
	SmartEncoding             bool              `json:"smart_encoding"`
	MMSConverter              bool              `json:"mms_converter"`
	FallbackToLongCode        bool              `json:"fallback_to_long_code"`
	ScanMessageContent        string            `json:"scan_message_content"`
	AreaCodeGeomatch          bool              `json:"area_code_geomatch"`
	ValidityPeriod            int               `json:"validity_period"`
	SynchronousValidation     bool              `json:"synchronous_validation"`
	Usecase                   string            `json:"usecase"`
	USAppToPersonRegistered   bool              `json:"us_app_to_person_registered"`
	UseInboundWebhookOnNumber bool              `json:"use_inbound_webhook_on_number"`
	Links                     map[string]string `json:"links"`
	URL                       string            `json:"url"`
}

// json is a number in a service, whose capabilities are a list here.
func (member *sender) json(accountSID string) []byte {
	capabilities := []string{}
	for _, can := range []struct {
		name string
		can  bool
	}{
		{"MMS", member.number.Capabilities.MMS},
		{"SMS", member.number.Capabilities.SMS},
		{"Voice", member.number.Capabilities.Voice},
	} {
		if can.can {
			capabilities = append(capabilities, can.name)
		}
	}
	return mustJSON(senderJSON{
		SID:          member.number.SID,
		AccountSID:   accountSID,
		ServiceSID:   member.serviceSID,
		DateCreated:  iso8601{member.since},
		DateUpdated:  iso8601{member.since},
		PhoneNumber:  member.number.PhoneNumber,
		CountryCode:  orNull(member.number.Country),
		Capabilities: capabilities,
		URL:          "https://" + messagingHost + "/v1/Services/" + member.serviceSID + "/PhoneNumbers/" + member.number.SID,
	})
}

type senderJSON struct {
	SID          string   `json:"sid"`
	AccountSID   string   `json:"account_sid"`
	ServiceSID   string   `json:"service_sid"`
	DateCreated  iso8601  `json:"date_created"`
	DateUpdated  iso8601  `json:"date_updated"`
	PhoneNumber  string   `json:"phone_number"`
	CountryCode  *string  `json:"country_code"`
	Capabilities []string `json:"capabilities"`
	URL          string   `json:"url"`
}
