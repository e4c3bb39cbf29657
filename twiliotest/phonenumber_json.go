package twiliotest

// json is a number as Twilio shows it, in the order of the example in its
// OpenAPI file. An address that is not set is "", a SID null.
func (n *PhoneNumber) json() []byte {
	emergencyAddress := "unregistered"
	if n.EmergencyAddressSID != "" {
		emergencyAddress = "registered"
	}
	return mustJSON(phoneNumberJSON{
		AccountSID:             n.AccountSID,
		AddressRequirements:    n.AddressRequirements,
		AddressSID:             orNull(n.AddressSID),
		APIVersion:             n.APIVersion,
		Beta:                   n.Beta,
		Capabilities:           capabilitiesJSON(n.Capabilities),
		DateCreated:            rfc2822{n.DateCreated},
		DateUpdated:            rfc2822{n.DateUpdated},
		EmergencyStatus:        n.EmergencyStatus,
		EmergencyAddressSID:    orNull(n.EmergencyAddressSID),
		EmergencyAddressStatus: emergencyAddress,
		FriendlyName:           n.FriendlyName,
		IdentitySID:            orNull(n.IdentitySID),
		Origin:                 n.Origin,
		PhoneNumber:            n.PhoneNumber,
		SID:                    n.SID,
		SMSApplicationSID:      orNull(n.SMSApplicationSID),
		SMSFallbackMethod:      n.SMSFallbackMethod,
		SMSFallbackURL:         n.SMSFallbackURL,
		SMSMethod:              n.SMSMethod,
		SMSURL:                 n.SMSURL,
		StatusCallback:         n.StatusCallback,
		StatusCallbackMethod:   n.StatusCallbackMethod,
		TrunkSID:               orNull(n.TrunkSID),
		URI:                    "/2010-04-01/Accounts/" + n.AccountSID + "/IncomingPhoneNumbers/" + n.SID + ".json",
		VoiceApplicationSID:    orNull(n.VoiceApplicationSID),
		VoiceCallerIDLookup:    n.VoiceCallerIDLookup,
		VoiceFallbackMethod:    n.VoiceFallbackMethod,
		VoiceFallbackURL:       n.VoiceFallbackURL,
		VoiceMethod:            n.VoiceMethod,
		VoiceURL:               n.VoiceURL,
		VoiceReceiveMode:       n.VoiceReceiveMode,
		Status:                 "in-use",
		BundleSID:              orNull(n.BundleSID),
		Type:                   n.Type,
	})
}

type phoneNumberJSON struct {
	AccountSID             string           `json:"account_sid"`
	AddressRequirements    string           `json:"address_requirements"`
	AddressSID             *string          `json:"address_sid"`
	APIVersion             string           `json:"api_version"`
	Beta                   bool             `json:"beta"`
	Capabilities           capabilitiesJSON `json:"capabilities"`
	DateCreated            rfc2822          `json:"date_created"`
	DateUpdated            rfc2822          `json:"date_updated"`
	EmergencyStatus        string           `json:"emergency_status"`
	EmergencyAddressSID    *string          `json:"emergency_address_sid"`
	EmergencyAddressStatus string           `json:"emergency_address_status"`
	FriendlyName           string           `json:"friendly_name"`
	IdentitySID            *string          `json:"identity_sid"`
	Origin                 string           `json:"origin"`
	PhoneNumber            string           `json:"phone_number"`
	SID                    string           `json:"sid"`
	SMSApplicationSID      *string          `json:"sms_application_sid"`
	SMSFallbackMethod      string           `json:"sms_fallback_method"`
	SMSFallbackURL         string           `json:"sms_fallback_url"`
	SMSMethod              string           `json:"sms_method"`
	SMSURL                 string           `json:"sms_url"`
	StatusCallback         string           `json:"status_callback"`
	StatusCallbackMethod   string           `json:"status_callback_method"`
	TrunkSID               *string          `json:"trunk_sid"`
	URI                    string           `json:"uri"`
	VoiceApplicationSID    *string          `json:"voice_application_sid"`
	VoiceCallerIDLookup    bool             `json:"voice_caller_id_lookup"`
	VoiceFallbackMethod    string           `json:"voice_fallback_method"`
	VoiceFallbackURL       string           `json:"voice_fallback_url"`
	VoiceMethod            string           `json:"voice_method"`
	VoiceURL               string           `json:"voice_url"`
	VoiceReceiveMode       string           `json:"voice_receive_mode"`
	Status                 string           `json:"status"`
	BundleSID              *string          `json:"bundle_sid"`
	Type                   string           `json:"type"`
}

type capabilitiesJSON struct {
	Voice bool `json:"voice"`
	SMS   bool `json:"sms"`
	MMS   bool `json:"mms"`
	Fax   bool `json:"fax"`
}
