package twilioacct_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// exampleProvider is a Provider on a fake Twilio, for the examples of this file.
func exampleProvider(fake *twiliotest.Server, store twilioacct.Store) *twilioacct.Provider {
	parent := fake.Parent()
	provider, err := twilioacct.New(twilioacct.Credentials{
		AccountSID: parent.SID,
		AuthToken:  twilioacct.NewSecret(parent.AuthToken),
	}, &twilioacct.Options{HTTPClient: fake.HTTPClient(), Store: store})
	if err != nil {
		log.Fatal(err)
	}
	return provider
}

func ExampleProvider_Account() {
	fake := twiliotest.Start()
	defer fake.Close()
	provider, ctx := exampleProvider(fake, nil), context.Background()
	sid := fake.AddSubaccount("Falcon Flights").SID

	account, err := provider.Account(ctx, sid)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(account.FriendlyName, account.Status, account.Type, account.AuthToken)
	// Output: Falcon Flights active Full [redacted]
}

func ExampleProvider_Accounts() {
	fake := twiliotest.Start()
	defer fake.Close()
	provider, ctx := exampleProvider(fake, nil), context.Background()
	fake.AddSubaccount("Falcon Flights")
	fake.SetStatus(fake.AddSubaccount("Owl Post").SID, twiliotest.Suspended)

	suspended := &twilioacct.AccountFilter{Status: twilioacct.StatusSuspended}
	for account, err := range provider.Accounts(ctx, suspended) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(account.FriendlyName)
	}
	// Output: Owl Post
}

func ExampleProvider_Sync() {
	fake := twiliotest.Start()
	defer fake.Close()
	ctx := context.Background()
	sid := fake.AddSubaccount("Falcon Flights").SID
	store := twilioacct.NewMemStore(twilioacct.Record{SID: sid, Status: twilioacct.StatusSuspended})
	provider := exampleProvider(fake, store)

	synced, err := provider.Sync(ctx, sid)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(synced.Status, "stored:", synced.Stored, "changed:", synced.Changed)
	// Output: active stored: true changed: true
}

func ExampleProvider_Health() {
	fake := twiliotest.Start()
	defer fake.Close()
	provider, ctx := exampleProvider(fake, nil), context.Background()
	sid := fake.AddSubaccount("Owl Post").SID
	fake.SetStatus(sid, twiliotest.Suspended)

	health, err := provider.Health(ctx, sid)
	if err != nil {
		log.Fatal(err)
	}
	if health.Status == twilioacct.StatusSuspended {
		fmt.Println("alert:", health.Name, "is suspended")
	}
	// Output: alert: Owl Post is suspended
}

func ExampleError() {
	fake := twiliotest.Start()
	defer fake.Close()
	provider, ctx := exampleProvider(fake, nil), context.Background()

	_, err := provider.Account(ctx, "ACffffffffffffffffffffffffffffffff")

	if errors.Is(err, twilioacct.ErrNotFound) {
		fmt.Println("there is no such account")
	}
	var e *twilioacct.Error
	if errors.As(err, &e) {
		fmt.Println(e.Code, e.Status, e.Method)
	}
	// Output:
	// there is no such account
	// 20404 404 GET
}

func ExampleHandle_Services() {
	fake := twiliotest.Start()
	defer fake.Close()
	provider, ctx := exampleProvider(fake, nil), context.Background()
	sid := fake.AddSubaccount("Falcon Flights").SID

	service := api.NewApiService(provider.Subaccount(sid).Services(ctx))
	account, err := service.FetchAccount(sid)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(*account.FriendlyName)
	// Output: Falcon Flights
}

func ExampleProvider_SyncAll() {
	fake := twiliotest.Start()
	defer fake.Close()
	falcon := fake.AddSubaccount("Falcon Flights").SID
	fake.SetStatus(falcon, twiliotest.Suspended)
	store := twilioacct.NewMemStore(twilioacct.Record{SID: falcon, Status: twilioacct.StatusActive})
	provider, ctx := exampleProvider(fake, store), context.Background()

	report, err := provider.SyncAll(ctx, &twilioacct.SyncAllOptions{
		Observe: func(e twilioacct.SyncEvent) {
			fmt.Println(e.Name, e.Kind, "from", e.Before, "to", e.After)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Synced(), "synced,", report.Changed, "changed,", report.Failed, "failed")
	// Output:
	// Falcon Flights changed from active to suspended
	// 1 synced, 1 changed, 0 failed
}

func ExampleProvider_Dashboard() {
	fake := twiliotest.Start()
	defer fake.Close()
	falcon := fake.AddSubaccount("Falcon Flights").SID
	owl := fake.AddSubaccount("Owl Post").SID
	fake.SetStatus(owl, twiliotest.Suspended)
	store := twilioacct.NewMemStore(twilioacct.Record{SID: falcon}, twilioacct.Record{SID: owl})
	provider, ctx := exampleProvider(fake, store), context.Background()

	dashboard, err := provider.Dashboard(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(dashboard.Total, "accounts,", dashboard.Active, "active,", dashboard.Suspended, "suspended")
	// Output: 2 accounts, 1 active, 1 suspended
}
