package twiliotest

import (
	"net/http"
	"time"
)

// Campaigns are what US carriers want to know of a messaging service before
// they take messages of its long numbers (A2P 10DLC). They can be listed, and
// are made by tests.

const campaignsPath = "/v1/Services/{ServiceSid:MG}/Compliance/Usa2p"

var campaignRoutes = []route{
	{operation: "ListUsAppToPerson", method: http.MethodGet, host: messagingHost, path: campaignsPath,
		params: paged(), handle: withService(20404, listCampaigns)},
}

type campaign struct {
	sid, accountSID, serviceSID, brandSID string
	status                                string
	created, updated                      time.Time
}

const verified = "VERIFIED"

// RegisterA2P gives a messaging service a verified campaign. It panics if there
// is no such service.
func (s *Server) RegisterA2P(serviceSID string) {
	s.SetCampaignStatus(serviceSID, verified)
}

// SetCampaignStatus sets the campaign_status of a messaging service's campaign,
// which is made if there is none: "PENDING", "IN_PROGRESS", "VERIFIED",
// "FAILED" or whatever may come. It panics if there is no such service.
func (s *Server) SetCampaignStatus(serviceSID, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, now := s.mustServe(serviceSID), time.Now()
	if s.campaigns.of(m.SID).count() == 0 {
		c := &campaign{sid: s.ids.sid("QE"), accountSID: m.AccountSID, serviceSID: m.SID, brandSID: s.ids.sid("BN"), created: now}
		s.campaigns.add(m.SID, c.sid, c)
	}
	for c := range s.campaigns.of(m.SID).each() {
		c.status, c.updated = status, now
	}
	m.USAppToPersonRegistered = status == verified
}

func listCampaigns(c *call, m *MessagingService) answer {
	return listSeries(c, "compliance", c.server.campaigns.of(m.SID), every, (*campaign).json)
}

func (c *campaign) json() []byte {
	return mustJSON(campaignJSON{
		SID:                  c.sid,
		AccountSID:           c.accountSID,
		BrandRegistrationSID: c.brandSID,
		MessagingServiceSID:  c.serviceSID,
		Description:          "Messages to customers who have asked for them.",
		MessageSamples:       []string{"Your order is on its way.", "Your order is there."},
		USAppToPersonUsecase: "MIXED",
		SubscriberOptIn:      true,
		CampaignStatus:       c.status,
		CampaignID:           "C" + c.sid[2:8],
		MessageFlow:          "Customers tick a box when they place an order.",
		OptInKeywords:        []string{},
		OptOutKeywords:       []string{"STOP"},
		HelpKeywords:         []string{"HELP"},
		DateCreated:          iso8601{c.created},
		DateUpdated:          iso8601{c.updated},
		URL:                  "https://" + messagingHost + "/v1/Services/" + c.serviceSID + "/Compliance/Usa2p/" + c.sid,
		Errors:               []any{},
	})
}

type campaignJSON struct {
	SID                    string   `json:"sid"`
	AccountSID             string   `json:"account_sid"`
	BrandRegistrationSID   string   `json:"brand_registration_sid"`
	MessagingServiceSID    string   `json:"messaging_service_sid"`
	Description            string   `json:"description"`
	MessageSamples         []string `json:"message_samples"`
	USAppToPersonUsecase   string   `json:"us_app_to_person_usecase"`
	HasEmbeddedLinks       bool     `json:"has_embedded_links"`
	HasEmbeddedPhone       bool     `json:"has_embedded_phone"`
	SubscriberOptIn        bool     `json:"subscriber_opt_in"`
	AgeGated               bool     `json:"age_gated"`
	DirectLending          bool     `json:"direct_lending"`
	CampaignStatus         string   `json:"campaign_status"`
	CampaignID             string   `json:"campaign_id"`
	IsExternallyRegistered bool     `json:"is_externally_registered"`
	RateLimits             *string  `json:"rate_limits"`
	MessageFlow            string   `json:"message_flow"`
	OptInMessage           *string  `json:"opt_in_message"`
	OptOutMessage          *string  `json:"opt_out_message"`
	HelpMessage            *string  `json:"help_message"`
	OptInKeywords          []string `json:"opt_in_keywords"`
	OptOutKeywords         []string `json:"opt_out_keywords"`
	HelpKeywords           []string `json:"help_keywords"`
	DateCreated            iso8601  `json:"date_created"`
	DateUpdated            iso8601  `json:"date_updated"`
	URL                    string   `json:"url"`
	Mock                   bool     `json:"mock"`
	Errors                 []any    `json:"errors"`
}
