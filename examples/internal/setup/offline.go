package setup

import (
	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// Demo names the accounts of the fake by what is to be seen of them.
type Demo struct {
	Active    string
	Suspended string
	Trial     string // no document holds it
	Missing   string // Twilio knows no such account: 20404
	Foreign   string // somebody else's account: 20403
}

// SIDs returns all of them.
func (d *Demo) SIDs() []string { return []string{d.Active, d.Suspended, d.Trial, d.Missing, d.Foreign} }

// missing is well-formed and nobody's.
const missing = "AC00000000000000000000000000000404"

// DemoNumber is a phone number that the fake's parent owns.
const DemoNumber = "+14158740103"

// giveNumbers gives some accounts of the fake their phone numbers.
func giveNumbers(fake *twiliotest.Server, parent, tenant string) {
	const voice = "https://owlie.example/voice"
	fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{PhoneNumber: DemoNumber, VoiceURL: voice, SMSURL: "https://owlie.example/sms"})
	fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{PhoneNumber: "+14158740104", VoiceURL: voice})
	fake.AddPhoneNumber(parent, twiliotest.PhoneNumber{PhoneNumber: "+18885550140", FriendlyName: "Owlie hotline"})
	fake.AddPhoneNumber(tenant, twiliotest.PhoneNumber{PhoneNumber: "+12065550142", FriendlyName: "Falcon Flights desk"})
}

// Offline is a fake Twilio in this process, the same in every run, and a store whose documents are out of date.
func Offline() *Env {
	env, _ := offline()
	return env
}

// DemoTenant is the subaccount of [OfflineCalls] that has numbers to call from.
const DemoTenant = "FalconFlights"

// OfflineCalls is [Offline] with one more subaccount: one of its two numbers is answered by an old address, and the other by nothing.
func OfflineCalls() *Env {
	env, fake := offline()
	tenant := fake.AddSubaccount(DemoTenant).SID
	fake.AddPhoneNumber(tenant, twiliotest.PhoneNumber{PhoneNumber: "+12065550144"})
	fake.AddPhoneNumber(tenant, twiliotest.PhoneNumber{PhoneNumber: "+12065550143", VoiceURL: "https://old.example/voice"})
	return env
}

func offline() (*Env, *twiliotest.Server) {
	fake := twiliotest.Start()
	parent := fake.Parent()
	fake.Rename(parent.SID, "Owlie Notifications")
	active := fake.AddSubaccount("Falcon Flights")
	suspended := fake.AddSubaccount("Heron Hotels")
	trial := fake.AddSubaccount("Plover Post")
	fake.SetStatus(suspended.SID, twiliotest.Suspended)
	fake.SetType(trial.SID, "Trial")
	foreign := fake.AddForeignAccount(20403)
	giveNumbers(fake, parent.SID, active.SID)

	return &Env{
		Parent: twilioacct.Credentials{AccountSID: parent.SID, AuthToken: twilioacct.NewSecret(parent.AuthToken)},
		Options: twilioacct.Options{
			HTTPClient: fake.HTTPClient(),
			Store: twilioacct.NewMemStore(
				twilioacct.Record{SID: active.SID, Status: twilioacct.StatusSuspended, AuthToken: twilioacct.NewSecret("rotated")},
				twilioacct.Record{SID: suspended.SID, Status: twilioacct.StatusActive},
			),
		},
		Demo: &Demo{
			Active:    active.SID,
			Suspended: suspended.SID,
			Trial:     trial.SID,
			Missing:   missing,
			Foreign:   foreign.SID,
		},
		close: fake.Close,
	}, fake
}
