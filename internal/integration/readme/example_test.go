package readme

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/internal/integration/mongotest"
	"github.com/twilioacct/twilioacct/mongostore"
	"github.com/twilioacct/twilioacct/twiliotest"
)

// database is a MongoDB with one document of an application that waits for its account.
func database(sid string) (client *mongo.Client, closeAll func()) {
	server, err := mongotest.New()
	if err != nil {
		log.Fatal(err)
	}
	client, err = mongo.Connect(options.Client().ApplyURI(server.URI()))
	if err != nil {
		log.Fatal(err)
	}
	document := bson.D{{Key: "name", Value: "Falcon Flights"}, {Key: "twilio_account", Value: bson.D{{Key: "sid", Value: sid}}}}
	if _, err := client.Database("app").Collection("accounts").InsertOne(context.Background(), document); err != nil {
		log.Fatal(err)
	}
	return client, func() {
		_ = client.Disconnect(context.Background())
		server.Close()
	}
}

// instead puts the fake in the place of the network, so that the lines of an example are a user's own.
func instead(fake *twiliotest.Server) (restore func()) {
	network := http.DefaultTransport
	http.DefaultTransport = fake.SocketClient().Transport
	return func() { http.DefaultTransport = network }
}

func Example_browserCalls() {
	fake := twiliotest.Start()
	defer fake.Close()
	tenantSID := fake.AddSubaccount("Falcon Flights").SID
	fake.AddPhoneNumber(tenantSID, twiliotest.PhoneNumber{})
	ctx := context.Background()
	parent := twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret(fake.Parent().AuthToken)}
	provider, err := twilioacct.New(parent, &twilioacct.Options{HTTPClient: fake.HTTPClient(), Store: twilioacct.NewMemStore().Making()})
	if err != nil {
		log.Fatal(err)
	}
	userOf := func(*http.Request) (string, error) { return "alice", nil }

	has, err := provider.Provision(ctx, twilioacct.Spec{
		AccountSID: tenantSID,
		Voice: &twilioacct.VoiceSpec{
			FriendlyName: "browser calls",
			Settings:     twilioacct.TwiMLAppSettings{VoiceURL: new("https://app.example/outgoing")},
			Incoming:     &twilioacct.IncomingCalls{Handler: twilioacct.CallHandler{URL: "https://app.example/incoming"}},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/token", provider.TokenHandler(func(r *http.Request) (twilioacct.TokenRequest, error) {
		user, err := userOf(r) // your session
		return twilioacct.TokenRequest{AccountSID: tenantSID, TokenSpec: twilioacct.TokenSpec{
			Identity: user, Lifetime: 10 * time.Minute,
			Voice: twilioacct.VoiceGrant{ApplicationSID: has.Application.SID, Incoming: true},
		}}, err
	}))
	for _, n := range has.Incoming {
		fmt.Println(n.PhoneNumber, "is answered by", n.After)
	}

	answer := httptest.NewRecorder()
	http.DefaultServeMux.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/token", nil))
	fmt.Println(answer.Code)
	// Output:
	// +14155550101 is answered by https://app.example/incoming
	// 200
}

func Example_tenant() {
	fake := twiliotest.Start()
	defer fake.Close()
	fake.AddPhoneNumber(fake.Parent().SID, twiliotest.PhoneNumber{PhoneNumber: "+14158740103"})
	ctx := context.Background()
	parent := twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret(fake.Parent().AuthToken)}
	provider, err := twilioacct.New(parent, &twilioacct.Options{HTTPClient: fake.HTTPClient()})
	if err != nil {
		log.Fatal(err)
	}

	has, err := provider.Provision(ctx, twilioacct.Spec{
		FriendlyName: "FalconFlights",
		Number:       &twilioacct.NumberSpec{Move: &twilioacct.NumberTransfer{PhoneNumber: "+14158740103"}}, // or Buy
		Messaging:    &twilioacct.MessagingSpec{FriendlyName: "falconFlightNotifications"},
	})
	if err != nil {
		log.Fatal(err) // what was made so far is in has; the same call goes on from there
	}
	for _, reason := range has.Ready.Reasons {
		fmt.Println("not every message may go out:", reason.Kind)
	}
	tenant := provider.Subaccount(has.Account.SID)
	message, err := tenant.Send(ctx, twilioacct.NewMessage{To: "+12083186206", ServiceSID: has.Service.SID, Body: "Hi there"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(has.Number.PhoneNumber, message.Status)
	// Output:
	// not every message may go out: a2p_unregistered
	// +14158740103 accepted
}

func Example_firstLines() {
	fake := twiliotest.Start()
	defer fake.Close()
	sid := fake.AddSubaccount("Falcon Flights").SID
	client, closeAll := database(sid)
	defer closeAll()
	ctx := context.Background()
	parent := twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret(fake.Parent().AuthToken)}
	defer instead(fake)()

	store, err := mongostore.New(client.Database("app").Collection("accounts"), nil)
	if err != nil {
		log.Fatal(err)
	}
	provider, err := twilioacct.New(parent, &twilioacct.Options{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	account, err := provider.Sync(ctx, sid) // fetched from Twilio, written to the document
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(account.FriendlyName, account.Status, account.AuthToken, account.Stored)
	// Output: Falcon Flights active [redacted] true
}

func Example_errors() {
	fake := twiliotest.Start()
	defer fake.Close()
	sid := fake.AddForeignAccount(20403).SID
	ctx := context.Background()
	parent := twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret(fake.Parent().AuthToken)}
	provider, err := twilioacct.New(parent, &twilioacct.Options{BaseURL: fake.URL()})
	if err != nil {
		log.Fatal(err)
	}

	_, err = provider.Account(ctx, sid)
	switch {
	case errors.Is(err, twilioacct.ErrNotFound):
		fmt.Println("there is no such account")
	case errors.Is(err, twilioacct.ErrUnauthenticated):
		fmt.Println("the parent's credentials are wrong")
	case errors.Is(err, twilioacct.ErrForbidden):
		fmt.Println("the account is somebody else's")
	}
	var e *twilioacct.Error
	if errors.As(err, &e) {
		fmt.Println(e.Code, e.Status, e.Method)
	}
	// Output:
	// the account is somebody else's
	// 20403 403 GET
}

func Example_test() {
	fake := twiliotest.Start() // in a test: twiliotest.NewServer(t)
	defer fake.Close()
	sid := fake.AddSubaccount("Falcon Flights").SID
	fake.Inject(twiliotest.Fault{Operation: "FetchAccount", Status: 503, HTML: true})

	parent := twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret(fake.Parent().AuthToken)}
	provider, err := twilioacct.New(parent, &twilioacct.Options{HTTPClient: fake.HTTPClient()})
	if err != nil {
		log.Fatal(err)
	}
	account, err := provider.Account(context.Background(), sid) // the second request succeeds
	fmt.Println(account.FriendlyName, err, fake.Count("FetchAccount"))
	// Output: Falcon Flights <nil> 2
}

func Example_node() {
	fake := twiliotest.Start()
	defer fake.Close()
	sid := fake.AddSubaccount("Falcon Flights").SID
	fake.SetStatus(sid, twiliotest.Suspended)
	ctx := context.Background()
	parent := twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret(fake.Parent().AuthToken)}
	provider, err := twilioacct.New(parent, &twilioacct.Options{BaseURL: fake.URL()})
	if err != nil {
		log.Fatal(err)
	}
	sendAlert := func(name string) { fmt.Println("alert:", name) }

	health, err := provider.Health(ctx, sid)
	if err != nil {
		log.Fatal(err) // Twilio could not be asked
	}
	if health.Status == twilioacct.StatusSuspended {
		sendAlert(health.Name)
	}
	_ = time.Since(health.LastChecked)
	// Output: alert: Falcon Flights
}

func Example_fleet() {
	fake := twiliotest.Start()
	defer fake.Close()
	sid := fake.AddSubaccount("Falcon Flights").SID
	fake.SetStatus(sid, twiliotest.Suspended)
	ctx := context.Background()
	parent := twilioacct.Credentials{AccountSID: fake.Parent().SID, AuthToken: twilioacct.NewSecret(fake.Parent().AuthToken)}
	store := twilioacct.NewMemStore(twilioacct.Record{SID: sid, Status: twilioacct.StatusActive})
	provider, err := twilioacct.New(parent, &twilioacct.Options{BaseURL: fake.URL(), Store: store})
	if err != nil {
		log.Fatal(err)
	}
	sendAlert := func(name string) { fmt.Println("alert:", name) }

	report, err := provider.SyncAll(ctx, &twilioacct.SyncAllOptions{
		Observe: func(e twilioacct.SyncEvent) {
			switch {
			case e.Kind == twilioacct.EventChanged && e.After == twilioacct.StatusSuspended && e.Before != e.After:
				sendAlert(e.Name) // at least once; e.ID is the same each time
			case e.Kind == twilioacct.EventFailed:
				fmt.Println("failed:", e.DocumentID, e.SID, e.Err)
			}
		},
	})
	if err != nil {
		log.Fatal(err) // the run broke off; the report says how far it came
	}
	fmt.Println(report.Listed, report.Changed, report.Unchanged, report.Failed)
	// Output:
	// alert: Falcon Flights
	// 2 1 0 0
}
