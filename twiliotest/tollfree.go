package twiliotest

import (
	"net/http"
	"slices"
	"time"
)

// Verifications are what carriers want to know of a toll-free number before
// they take its messages. They can be listed, and are made by tests.

var tollFreeRoutes = []route{
	{operation: "ListTollfreeVerification", method: http.MethodGet, host: messagingHost, path: "/v1/Tollfree/Verifications",
		params: paged("TollfreePhoneNumberSid", "Status", "ExternalReferenceId", "IncludeSubAccounts", "TrustProductSid*"),
		handle: listTollFree},
}

type verification struct {
	sid, accountSID, status               string
	numberSID, number                     string
	profileSID, productSID, assignmentSID string
	created, updated                      time.Time
}

// verifications are those of all accounts: a parent may list them all.
type verifications = collection[verification]

// VerifyTollFree sets the status of a toll-free number's verification, which is
// made for the account that owns it if there is none: "PENDING_REVIEW",
// "IN_REVIEW", "TWILIO_APPROVED" or "TWILIO_REJECTED". It stays with that
// account when the number moves. It panics if nobody owns the number, or it is
// not toll-free.
func (s *Server) VerifyTollFree(phoneNumberSID, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, now := s.mustOwn(phoneNumberSID), time.Now()
	if n.Type != TollFree {
		panic("twiliotest: not toll-free: " + n.PhoneNumber)
	}
	for v := range s.verifications.of("").each() {
		if v.numberSID == n.SID && v.accountSID == n.AccountSID {
			v.status, v.updated = status, now
			return
		}
	}
	v := &verification{sid: s.ids.sid("HH"), accountSID: n.AccountSID, status: status, numberSID: n.SID, number: n.PhoneNumber,
		profileSID: s.ids.sid("BU"), productSID: s.ids.sid("BU"), assignmentSID: s.ids.sid("RA"), created: now, updated: now}
	s.verifications.add("", v.sid, v)
}

func listTollFree(c *call) answer {
	number, byNumber := c.param("TollfreePhoneNumberSid")
	status, byStatus := c.param("Status")
	_, byReference := c.param("ExternalReferenceId") // none has one
	include, includeSent := c.param("IncludeSubAccounts")
	products := c.query["TrustProductSid"]
	if byNumber && !isSID(number, "PN") || includeSent && aBool(include) != 0 || byStatus && aTollFreeStatus(status) != 0 {
		return c.refuse(20001)
	}
	shows := func(v *verification) bool {
		return (!byNumber || v.numberSID == number) && (!byStatus || v.status == status) && !byReference &&
			(len(products) == 0 || slices.Contains(products, v.productSID)) && c.sees(v, include == "true")
	}
	return listSeries(c, "verifications", c.server.verifications.of(""), shows, (*verification).json)
}

var aTollFreeStatus = oneOf(20001, "PENDING_REVIEW", "IN_REVIEW", "TWILIO_APPROVED", "TWILIO_REJECTED")

func (c *call) sees(v *verification, withSubaccounts bool) bool {
	signer := c.signer.account.SID
	return v.accountSID == signer || withSubaccounts && c.server.accounts.bySID[v.accountSID].OwnerSID == signer
}

func (v *verification) json() []byte {
	const products = "https://trusthub.twilio.com/v1/TrustProducts/"
	return mustJSON(verificationJSON{
		SID:                    v.sid,
		AccountSID:             v.accountSID,
		CustomerProfileSID:     v.profileSID,
		TrustProductSID:        v.productSID,
		RegulatedItemSID:       v.assignmentSID,
		DateCreated:            iso8601{v.created},
		DateUpdated:            iso8601{v.updated},
		BusinessName:           "Owl, Inc.",
		BusinessCountry:        "US",
		UseCaseCategories:      []string{"ACCOUNT_NOTIFICATIONS"},
		UseCaseSummary:         "Messages to customers who have asked for them.",
		OptInImageURLs:         []string{},
		OptInType:              "WEB_FORM",
		MessageVolume:          "1,000",
		TollfreePhoneNumberSID: v.numberSID,
		TollfreePhoneNumber:    v.number,
		Status:                 v.status,
		URL:                    "https://" + messagingHost + "/v1/Tollfree/Verifications/" + v.sid,
		ResourceLinks: map[string]string{
			"customer_profile":            "https://trusthub.twilio.com/v1/CustomerProfiles/" + v.profileSID,
			"trust_product":               products + v.productSID,
			"channel_endpoint_assignment": products + v.productSID + "/ChannelEndpointAssignments/" + v.assignmentSID,
		},
		BusinessRegistrationAuthority: "EIN",
		BusinessType:                  "PRIVATE_PROFIT",
		OptInKeywords:                 []string{},
	})
}

// verificationJSON has all members of Twilio's OpenAPI file. Those that are
// pointers are always null here.
type verificationJSON struct {
	SID                             string            `json:"sid"`
	AccountSID                      string            `json:"account_sid"`
	CustomerProfileSID              string            `json:"customer_profile_sid"`
	TrustProductSID                 string            `json:"trust_product_sid"`
	RegulatedItemSID                string            `json:"regulated_item_sid"`
	DateCreated                     iso8601           `json:"date_created"`
	DateUpdated                     iso8601           `json:"date_updated"`
	BusinessName                    string            `json:"business_name"`
	BusinessStreetAddress           *string           `json:"business_street_address"`
	BusinessStreetAddress2          *string           `json:"business_street_address2"`
	BusinessCity                    *string           `json:"business_city"`
	BusinessStateProvinceRegion     *string           `json:"business_state_province_region"`
	BusinessPostalCode              *string           `json:"business_postal_code"`
	BusinessCountry                 string            `json:"business_country"`
	BusinessWebsite                 *string           `json:"business_website"`
	BusinessContactFirstName        *string           `json:"business_contact_first_name"`
	BusinessContactLastName         *string           `json:"business_contact_last_name"`
	BusinessContactEmail            *string           `json:"business_contact_email"`
	BusinessContactPhone            *string           `json:"business_contact_phone"`
	NotificationEmail               *string           `json:"notification_email"`
	UseCaseCategories               []string          `json:"use_case_categories"`
	UseCaseSummary                  string            `json:"use_case_summary"`
	ProductionMessageSample         *string           `json:"production_message_sample"`
	OptInImageURLs                  []string          `json:"opt_in_image_urls"`
	OptInType                       string            `json:"opt_in_type"`
	MessageVolume                   string            `json:"message_volume"`
	AdditionalInformation           *string           `json:"additional_information"`
	TollfreePhoneNumberSID          string            `json:"tollfree_phone_number_sid"`
	TollfreePhoneNumber             string            `json:"tollfree_phone_number"`
	Status                          string            `json:"status"`
	URL                             string            `json:"url"`
	RejectionReason                 *string           `json:"rejection_reason"`
	ErrorCode                       *int              `json:"error_code"`
	EditExpiration                  *string           `json:"edit_expiration"`
	EditAllowed                     *bool             `json:"edit_allowed"`
	BusinessRegistrationNumber      *string           `json:"business_registration_number"`
	BusinessRegistrationAuthority   string            `json:"business_registration_authority"`
	BusinessRegistrationCountry     *string           `json:"business_registration_country"`
	BusinessType                    string            `json:"business_type"`
	BusinessRegistrationPhoneNumber *string           `json:"business_registration_phone_number"`
	DoingBusinessAs                 *string           `json:"doing_business_as"`
	OptInConfirmationMessage        *string           `json:"opt_in_confirmation_message"`
	HelpMessageSample               *string           `json:"help_message_sample"`
	PrivacyPolicyURL                *string           `json:"privacy_policy_url"`
	TermsAndConditionsURL           *string           `json:"terms_and_conditions_url"`
	AgeGatedContent                 bool              `json:"age_gated_content"`
	OptInKeywords                   []string          `json:"opt_in_keywords"`
	RejectionReasons                []any             `json:"rejection_reasons"`
	ResourceLinks                   map[string]string `json:"resource_links"`
	ExternalReferenceID             *string           `json:"external_reference_id"`
	VettingID                       *string           `json:"vetting_id"`
	VettingProvider                 *string           `json:"vetting_provider"`
	VettingIDExpiration             *string           `json:"vetting_id_expiration"`
}
