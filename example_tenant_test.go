package twilioacct_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// exampleTenant is a subaccount on a fake Twilio, with the number +14155550101 in a messaging service.
func exampleTenant() (*twiliotest.Server, *twilioacct.Provider, twilioacct.Sender) {
	fake := twiliotest.Start()
	sid := fake.AddSubaccount("Falcon Flights").SID
	number := fake.AddPhoneNumber(sid, twiliotest.PhoneNumber{})
	service := fake.AddMessagingService(sid, twiliotest.MessagingService{
		FriendlyName: "notifications", UseInboundWebhookOnNumber: true, PhoneNumberSIDs: []string{number.SID},
	})
	return fake, exampleProvider(fake, nil), twilioacct.Sender{ServiceSID: service.SID, PhoneNumberSID: number.SID}
}

// check ends an example that has failed.
func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func ExampleProvider_Provision() {
	fake := twiliotest.Start()
	defer fake.Close()
	provider, ctx := exampleProvider(fake, nil), context.Background()

	spec := twilioacct.Spec{
		FriendlyName: "FalconFlights",
		Key:          "customer-7",
		Number:       &twilioacct.NumberSpec{Buy: &twilioacct.NumberSearch{AreaCode: 415}},
		Messaging:    &twilioacct.MessagingSpec{FriendlyName: "falconFlightNotifications"},
	}
	for range 2 { // the second time as after a crash
		tenant, err := provider.Provision(ctx, spec)
		check(err)
		for _, step := range tenant.Steps {
			fmt.Print(step.Name, " ", step.Did, ", ")
		}
		fmt.Println("ready:", tenant.Ready.OK)
	}
	// Output:
	// subaccount made, number made, messaging_service made, sender made, ready: false
	// subaccount found, number found, messaging_service found, sender found, ready: false
}

func ExampleProvider_Plan() {
	fake := twiliotest.Start()
	defer fake.Close()
	provider, ctx := exampleProvider(fake, nil), context.Background()
	number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{VoiceURL: "https://owlie.example/voice"})

	plan, err := provider.Plan(ctx, twilioacct.Spec{
		FriendlyName: "FalconFlights",
		Number:       &twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumber: number.PhoneNumber}},
	})
	check(err)
	for _, step := range plan.Steps {
		fmt.Println(step.Name, "would be", step.Did)
	}
	fmt.Println("keeps", plan.Transfer.Number.VoiceURL)
	for _, loss := range plan.Transfer.Lost {
		fmt.Println("loses", loss.What)
	}
	// Output:
	// subaccount would be made
	// number would be moved
	// keeps https://owlie.example/voice
	// loses opt_outs
	// loses registrations
}

func ExampleProvider_CreateSubaccount() {
	fake := twiliotest.Start()
	defer fake.Close()
	store := twilioacct.NewMemStore().Making()
	provider, ctx := exampleProvider(fake, store), context.Background()

	account, err := provider.FindSubaccount(ctx, "FalconFlights")
	if errors.Is(err, twilioacct.ErrNotFound) {
		account, err = provider.CreateSubaccount(ctx, "FalconFlights")
	}
	check(err)
	kept, err := store.Load(ctx, account.SID)
	check(err)
	fmt.Println(account.FriendlyName, account.Status, "token stored:", !kept.AuthToken.IsZero())
	// Output: FalconFlights active token stored: true
}

func ExampleProvider_FindSubaccount() {
	fake := twiliotest.Start()
	defer fake.Close()
	provider, ctx := exampleProvider(fake, nil), context.Background()
	fake.AddSubaccount("tenant v1.25")
	fake.AddSubaccount("twins")
	fake.AddSubaccount("twins")

	found, err := provider.FindSubaccount(ctx, "tenant v1.25")
	fmt.Println(found.FriendlyName, err)
	_, err = provider.FindSubaccount(ctx, "tenant v1")
	fmt.Println(errors.Is(err, twilioacct.ErrNotFound))
	_, err = provider.FindSubaccount(ctx, "twins")
	fmt.Println(errors.Is(err, twilioacct.ErrAmbiguous))
	// Output:
	// tenant v1.25 <nil>
	// true
	// true
}

func ExampleProvider_RenameSubaccount() {
	fake := twiliotest.Start()
	defer fake.Close()
	provider, ctx := exampleProvider(fake, nil), context.Background()
	sid := fake.AddSubaccount("Falcon").SID

	account, err := provider.RenameSubaccount(ctx, sid, "Falcon Flights")
	check(err)
	fmt.Println(account.FriendlyName)
	// Output: Falcon Flights
}

func ExampleProvider_SuspendSubaccount() {
	fake := twiliotest.Start()
	defer fake.Close()
	provider, ctx := exampleProvider(fake, nil), context.Background()
	sid := fake.AddSubaccount("Falcon Flights").SID
	fake.AddCall(sid, "in-progress")

	account, err := provider.SuspendSubaccount(ctx, sid)
	check(err)
	ended, err := provider.EndCalls(ctx, sid) // a suspension leaves them running
	check(err)
	fmt.Println(account.Status, "calls ended:", ended)
	account, err = provider.ReactivateSubaccount(ctx, sid)
	check(err)
	fmt.Println(account.Status)
	// Output:
	// suspended calls ended: 1
	// active
}

func ExampleProvider_EndCalls() {
	fake := twiliotest.Start()
	defer fake.Close()
	provider, ctx := exampleProvider(fake, nil), context.Background()
	sid := fake.AddSubaccount("Falcon Flights").SID
	fake.AddCall(sid, "ringing")
	fake.AddCall(sid, "completed")

	ended, err := provider.EndCalls(ctx, sid)
	fmt.Println(ended, err)
	// Output: 1 <nil>
}

func ExampleProvider_ReactivateSubaccount() {
	fake := twiliotest.Start()
	defer fake.Close()
	provider, ctx := exampleProvider(fake, nil), context.Background()
	sid := fake.AddSubaccount("Falcon Flights").SID
	fake.SuspendByTwilio(sid)

	_, err := provider.ReactivateSubaccount(ctx, sid)
	fmt.Println(errors.Is(err, twilioacct.ErrSuspended)) // only Twilio can lift that
	// Output: true
}

func ExampleProvider_TransferNumber() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	ctx := context.Background()
	falcon := fake.Subaccounts()[0].SID

	move := twilioacct.NumberTransfer{PhoneNumberSID: sender.PhoneNumberSID, FromSID: falcon, ToSID: fake.Parent().SID}
	plan, err := provider.PlanTransfer(ctx, move)
	check(err)
	for _, loss := range plan.Lost {
		fmt.Println("loses", loss.What)
	}
	done, err := provider.TransferNumber(ctx, move)
	check(err)
	fmt.Println("moved:", done.Moved, "it is the parent's:", done.Number.AccountSID == fake.Parent().SID)
	// Output:
	// loses messaging_service
	// loses opt_outs
	// loses registrations
	// moved: true it is the parent's: true
}

func ExampleProvider_PlanTransfer() {
	fake := twiliotest.Start()
	defer fake.Close()
	provider, ctx := exampleProvider(fake, nil), context.Background()
	number := fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{PhoneNumber: "+493012345678", AddressRequirements: "local"})

	plan, err := provider.PlanTransfer(ctx, twilioacct.NumberTransfer{
		PhoneNumberSID: number.SID, ToSID: fake.AddSubaccount("Falcon Flights").SID,
	})
	check(err)
	fmt.Println("cannot be moved without", plan.Need)
	// Output: cannot be moved without [AddressSID]
}

func ExampleHandle_SearchNumbers() {
	fake := twiliotest.Start()
	defer fake.Close()
	tenant, ctx := exampleProvider(fake, nil).Subaccount(fake.AddSubaccount("Falcon Flights").SID), context.Background()
	fake.AddAvailable(twiliotest.AvailableNumber{PhoneNumber: "+15125550142", Locality: "Austin", Region: "TX"})

	numbers, err := tenant.SearchNumbers(ctx, twilioacct.NumberSearch{Contains: "5125550142", With: twilioacct.Capabilities{SMS: true}})
	check(err)
	fmt.Println(numbers[0].PhoneNumber, numbers[0].Locality, numbers[0].NeedsAddress())
	// Output: +15125550142 Austin false
}

func ExampleHandle_BuyNumber() {
	fake := twiliotest.Start()
	defer fake.Close()
	tenant, ctx := exampleProvider(fake, nil).Subaccount(fake.AddSubaccount("Falcon Flights").SID), context.Background()

	order := twilioacct.NumberOrder{AreaCode: 415, Settings: twilioacct.PhoneNumberSettings{
		FriendlyName: new("customer-7"), // so that it can be found if the reply is lost
		SMSURL:       new("https://falcon.example/sms"),
	}}
	number, err := tenant.BuyNumber(ctx, order)
	if errors.Is(err, twilioacct.ErrOutcomeUnknown) {
		fmt.Println("look for customer-7 before buying again")
	}
	check(err)
	fmt.Println(number.PhoneNumber[:5], number.FriendlyName, number.SMSURL)
	// Output: +1415 customer-7 https://falcon.example/sms
}

func ExampleHandle_PhoneNumbers() {
	fake, provider, _ := exampleTenant()
	defer fake.Close()
	ctx := context.Background()

	for number, err := range provider.Subaccount(fake.Subaccounts()[0].SID).PhoneNumbers(ctx, nil) {
		check(err)
		fmt.Println(number.PhoneNumber, number.FriendlyName)
	}
	// Output: +14155550101 (415) 555-0101
}

func ExampleHandle_FindNumber() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()

	number, err := tenant.FindNumber(ctx, "+14155550101")
	check(err)
	same, err := tenant.PhoneNumber(ctx, sender.PhoneNumberSID)
	check(err)
	fmt.Println(number == same)
	_, err = tenant.FindNumber(ctx, "+1415555010") // a part of it is not it
	fmt.Println(errors.Is(err, twilioacct.ErrNotFound))
	// Output:
	// true
	// true
}

func ExampleHandle_PhoneNumber() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()

	_, err := provider.Parent().PhoneNumber(context.Background(), sender.PhoneNumberSID)
	fmt.Println(errors.Is(err, twilioacct.ErrNotFound)) // it is the tenant's, not the parent's own
	// Output: true
}

func ExampleHandle_ConfigureNumber() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()

	number, err := tenant.ConfigureNumber(ctx, sender.PhoneNumberSID, twilioacct.PhoneNumberSettings{
		VoiceURL:       new("https://falcon.example/voice"),
		StatusCallback: new(""), // emptied; what is nil stays as it is
	})
	check(err)
	fmt.Println(number.VoiceURL, number.VoiceMethod)
	// Output: https://falcon.example/voice POST
}

func ExampleHandle_ReleaseNumber() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()

	err := tenant.ReleaseNumber(ctx, twilioacct.NumberRelease{SID: sender.PhoneNumberSID, PhoneNumber: "+14155550199"})
	fmt.Println(errors.Is(err, twilioacct.ErrConflict)) // that SID is another number's
	err = tenant.ReleaseNumber(ctx, twilioacct.NumberRelease{SID: sender.PhoneNumberSID, PhoneNumber: "+14155550101"})
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

func ExampleHandle_CreateMessagingService() {
	fake := twiliotest.Start()
	defer fake.Close()
	tenant, ctx := exampleProvider(fake, nil).Subaccount(fake.AddSubaccount("Falcon Flights").SID), context.Background()

	plain, err := tenant.CreateMessagingService(ctx, "notifications", twilioacct.MessagingServiceSettings{})
	check(err)
	central, err := tenant.CreateMessagingService(ctx, "support", twilioacct.MessagingServiceSettings{
		InboundURL: new("https://falcon.example/inbound"),
	})
	check(err)
	fmt.Println(plain.UseNumberWebhook, plain.LosesInbound())
	fmt.Println(central.InboundURL, central.LosesInbound())
	// Output:
	// true false
	// https://falcon.example/inbound false
}

func ExampleHandle_MessagingServices() {
	fake, provider, _ := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()

	for service, err := range tenant.MessagingServices(ctx) {
		check(err)
		for number, err := range tenant.Senders(ctx, service.SID) {
			check(err)
			fmt.Println(service.FriendlyName, number.PhoneNumber, number.Country)
		}
	}
	// Output: notifications +14155550101 US
}

func ExampleHandle_MessagingService() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()

	service, err := tenant.MessagingService(ctx, sender.ServiceSID)
	check(err)
	fmt.Println(service.FriendlyName, service.Validity)
	// Output: notifications 10h0m0s
}

func ExampleHandle_FindMessagingService() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()

	service, err := tenant.FindMessagingService(ctx, "notifications")
	check(err)
	fmt.Println(service.SID == sender.ServiceSID)
	// Output: true
}

func ExampleHandle_ConfigureMessagingService() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()

	service, err := tenant.ConfigureMessagingService(ctx, sender.ServiceSID, twilioacct.MessagingServiceSettings{
		StickySender: new(false), Validity: new(time.Hour),
	})
	check(err)
	fmt.Println(service.StickySender, service.Validity)
	// Output: false 1h0m0s
}

func ExampleHandle_DeleteMessagingService() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()

	check(tenant.DeleteMessagingService(ctx, sender.ServiceSID))
	number, err := tenant.PhoneNumber(ctx, sender.PhoneNumberSID)
	fmt.Println(number.PhoneNumber, err) // its numbers stay
	// Output: +14155550101 <nil>
}

func ExampleHandle_AddSender() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	sid, ctx := fake.Subaccounts()[0].SID, context.Background()
	tenant := provider.Subaccount(sid)
	other := fake.AddMessagingService(sid, twiliotest.MessagingService{FriendlyName: "without a webhook"})

	sender.ServiceSID = other.SID
	_, err := tenant.AddSender(ctx, sender)
	fmt.Println(errors.Is(err, twilioacct.ErrInboundLost))

	sender.LoseInbound = true
	_, err = tenant.AddSender(ctx, sender)
	var held *twilioacct.InOtherServiceError
	if errors.As(err, &held) {
		check(tenant.RemoveSender(ctx, twilioacct.Sender{ServiceSID: held.ServiceSID, PhoneNumberSID: sender.PhoneNumberSID}))
	}
	added, err := tenant.AddSender(ctx, sender)
	fmt.Println(added.PhoneNumber, err)
	// Output:
	// true
	// +14155550101 <nil>
}

func ExampleHandle_Senders() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()

	for number, err := range tenant.Senders(ctx, sender.ServiceSID) {
		check(err)
		fmt.Println(number.PhoneNumber, number.Capabilities.SMS)
	}
	// Output: +14155550101 true
}

func ExampleHandle_Sender() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()

	_, err := tenant.Sender(ctx, sender)
	fmt.Println(err)
	// Output: <nil>
}

func ExampleHandle_RemoveSender() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()

	check(tenant.RemoveSender(ctx, sender))
	fmt.Println(tenant.RemoveSender(ctx, sender)) // it is not there any more, which is as good
	// Output: <nil>
}

func ExampleHandle_Send() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	sid, ctx := fake.Subaccounts()[0].SID, context.Background()
	tenant := provider.Subaccount(sid)
	fake.OptOut(sid, "+12065550123")

	sent, err := tenant.Send(ctx, twilioacct.NewMessage{To: "+12083186206", ServiceSID: sender.ServiceSID, Body: "Hi there"})
	check(err)
	fmt.Println(sent.Status)

	_, err = tenant.Send(ctx, twilioacct.NewMessage{To: "+12065550123", ServiceSID: sender.ServiceSID, Body: "Hi there"})
	var refusal *twilioacct.Error
	if errors.As(err, &refusal) && refusal.Code == 21610 {
		fmt.Println("has opted out: never again")
	}
	// Output:
	// accepted
	// has opted out: never again
}

func ExampleHandle_Message() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()
	sent, err := tenant.Send(ctx, twilioacct.NewMessage{To: "+12083186206", ServiceSID: sender.ServiceSID, Body: "Hi there"})
	check(err)
	fake.SetMessageStatus(sent.SID, "undelivered", 30034)

	message, err := tenant.Message(ctx, sent.SID)
	check(err)
	fmt.Println(message.Status, message.ErrorCode)
	// Output: undelivered 30034
}

func ExampleHandle_Messages() {
	fake, provider, _ := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()
	fake.Receive("+14155550101", "+12083186206", "Where is my flight?")

	for message, err := range tenant.Messages(ctx, &twilioacct.MessageFilter{To: "+14155550101"}) {
		check(err)
		fmt.Println(message.From, message.Body)
	}
	// Output: +12083186206 Where is my flight?
}

func ExampleHandle_CancelMessage() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()

	scheduled, err := tenant.Send(ctx, twilioacct.NewMessage{
		To: "+12083186206", ServiceSID: sender.ServiceSID, Body: "Boarding soon", SendAt: time.Now().Add(time.Hour),
	})
	check(err)
	canceled, err := tenant.CancelMessage(ctx, scheduled.SID)
	check(err)
	fmt.Println(scheduled.Status, canceled.Status)
	// Output: scheduled canceled
}

func ExampleHandle_RedactMessage() {
	fake, provider, _ := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()
	received := fake.Receive("+14155550101", "+12083186206", "my card number is …").Message

	message, err := tenant.RedactMessage(ctx, received.SID)
	check(err)
	fmt.Printf("%q %s\n", message.Body, message.From)
	// Output: "" +12083186206
}

func ExampleHandle_Ready() {
	fake, provider, sender := exampleTenant()
	defer fake.Close()
	tenant, ctx := provider.Subaccount(fake.Subaccounts()[0].SID), context.Background()

	ready := tenant.Ready(ctx, sender.ServiceSID)
	fmt.Println(ready.OK, ready.Reasons[0].Kind)
	fake.RegisterA2P(sender.ServiceSID)
	fmt.Println(tenant.Ready(ctx, sender.ServiceSID).OK)
	// Output:
	// false a2p_unregistered
	// true
}
