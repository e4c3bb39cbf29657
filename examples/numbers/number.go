package main

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/twilioacct/twilioacct"
)

// capabilities are what a number can do.
type capabilities struct {
	Voice bool `json:"voice"`
	SMS   bool `json:"sms"`
	MMS   bool `json:"mms"`
}

func (c capabilities) String() string {
	var can []string
	for _, ability := range []struct {
		has  bool
		name string
	}{{c.Voice, "voice"}, {c.SMS, "sms"}, {c.MMS, "mms"}} {
		if ability.has {
			can = append(can, ability.name)
		}
	}
	return strings.Join(can, ",")
}

// offer is a number that can be bought, in JSON.
type offer struct {
	PhoneNumber         string       `json:"phone_number"`
	FriendlyName        string       `json:"friendly_name"`
	Capabilities        capabilities `json:"capabilities"`
	Country             string       `json:"country"`
	Region              string       `json:"region"`
	Locality            string       `json:"locality"`
	PostalCode          string       `json:"postal_code"`
	AddressRequirements string       `json:"address_requirements"`
}

const offerColumns = "NUMBER\tCAN\tCOUNTRY\tREGION\tLOCALITY\tADDRESS"

func (o offer) cells() []string {
	return []string{o.PhoneNumber, o.Capabilities.String(), o.Country, o.Region, o.Locality, o.AddressRequirements}
}

func (o offer) needsAddress() bool {
	return twilioacct.AvailableNumber{AddressRequirements: o.AddressRequirements}.NeedsAddress()
}

func newOffer(n twilioacct.AvailableNumber) offer {
	return offer{
		PhoneNumber:         n.PhoneNumber,
		FriendlyName:        n.FriendlyName,
		Capabilities:        capabilities(n.Capabilities),
		Country:             n.Country,
		Region:              n.Region,
		Locality:            n.Locality,
		PostalCode:          n.PostalCode,
		AddressRequirements: n.AddressRequirements,
	}
}

// number is a number of an account, in JSON. The passwords of its URLs are not shown.
type number struct {
	SID          string       `json:"sid"`
	AccountSID   string       `json:"account_sid"`
	PhoneNumber  string       `json:"phone_number"`
	FriendlyName string       `json:"friendly_name"`
	Capabilities capabilities `json:"capabilities"`

	VoiceURL            string `json:"voice_url"`
	VoiceMethod         string `json:"voice_method"`
	VoiceFallbackURL    string `json:"voice_fallback_url"`
	VoiceFallbackMethod string `json:"voice_fallback_method"`
	VoiceApplicationSID string `json:"voice_application_sid"`
	TrunkSID            string `json:"trunk_sid"`

	SMSURL            string `json:"sms_url"`
	SMSMethod         string `json:"sms_method"`
	SMSFallbackURL    string `json:"sms_fallback_url"`
	SMSFallbackMethod string `json:"sms_fallback_method"`
	SMSApplicationSID string `json:"sms_application_sid"`

	StatusCallback       string `json:"status_callback"`
	StatusCallbackMethod string `json:"status_callback_method"`

	AddressRequirements string `json:"address_requirements"`
	AddressSID          string `json:"address_sid"`
	BundleSID           string `json:"bundle_sid"`
	IdentitySID         string `json:"identity_sid"`
	EmergencyAddressSID string `json:"emergency_address_sid"`

	Origin      string    `json:"origin"`
	DateCreated time.Time `json:"date_created"`
	DateUpdated time.Time `json:"date_updated"`
}

func newNumber(n twilioacct.PhoneNumber) number {
	return number{
		SID: n.SID, AccountSID: n.AccountSID, PhoneNumber: n.PhoneNumber, FriendlyName: n.FriendlyName,
		Capabilities: capabilities(n.Capabilities),

		VoiceURL: withoutPassword(n.VoiceURL), VoiceMethod: n.VoiceMethod,
		VoiceFallbackURL: withoutPassword(n.VoiceFallbackURL), VoiceFallbackMethod: n.VoiceFallbackMethod,
		VoiceApplicationSID: n.VoiceApplicationSID, TrunkSID: n.TrunkSID,

		SMSURL: withoutPassword(n.SMSURL), SMSMethod: n.SMSMethod,
		SMSFallbackURL: withoutPassword(n.SMSFallbackURL), SMSFallbackMethod: n.SMSFallbackMethod,
		SMSApplicationSID: n.SMSApplicationSID,

		StatusCallback: withoutPassword(n.StatusCallback), StatusCallbackMethod: n.StatusCallbackMethod,

		AddressRequirements: n.AddressRequirements, AddressSID: n.AddressSID, BundleSID: n.BundleSID,
		IdentitySID: n.IdentitySID, EmergencyAddressSID: n.EmergencyAddressSID,

		Origin: n.Origin, DateCreated: n.DateCreated, DateUpdated: n.DateUpdated,
	}
}

// withoutPassword is a URL as it may be seen. Webhooks have passwords in them, and what is no URL may hide one.
func withoutPassword(address string) string {
	if address == "" {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil {
		return "(no URL)"
	}
	return u.Redacted()
}

const numberColumns = "SID\tNUMBER\tNAME\tCAN\tVOICE\tMESSAGES"

func (n number) cells() []string {
	return []string{
		n.SID, n.PhoneNumber, n.FriendlyName, n.Capabilities.String(),
		cmp.Or(n.TrunkSID, n.VoiceApplicationSID, n.VoiceURL),
		cmp.Or(n.SMSApplicationSID, n.SMSURL),
	}
}

// named is the number with its name, where that says more than the number does.
func (n number) named() string {
	if isNumber := strings.Trim(n.FriendlyName, "+0123456789 ()-") == ""; isNumber {
		return n.PhoneNumber
	}
	return fmt.Sprintf("%s %q", n.PhoneNumber, n.FriendlyName)
}
