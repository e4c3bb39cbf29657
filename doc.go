// Package twilioacct manages Twilio accounts for companies whose customers each have a subaccount of their own.
//
// # A provider for the parent
//
// A [Provider] holds the credentials of the parent account, and a [Store], where tokens and states survive a restart:
//
//	parent, err := twilioacct.CredentialsFromEnv()
//	store, err := mongostore.New(client.Database("app").Collection("accounts"), nil)
//	provider, err := twilioacct.New(parent, &twilioacct.Options{Store: store})
//
// [New] does no I/O and reads no environment. A method without a context argument does no I/O either.
//
// # Accounts from outside
//
// What is done to an account from outside is a method of the Provider, signed by the parent: [Provider.Account] fetches one,
// [Provider.Accounts] iterates over all, [Provider.Sync] writes token and status into the Store, and [Provider.Health] says how an
// account is. Twilio is the truth and the Store is a copy; nothing ever replaces a good credential by an empty or an older one.
//
// [Provider.CreateSubaccount] creates a subaccount and saves its token, [Provider.FindSubaccount] finds one by its exact name without
// reading the fleet, [Provider.SuspendSubaccount] and [Provider.ReactivateSubaccount] turn it off and on, and
// [Provider.TransferNumber] moves a phone number between two accounts, as [Provider.PlanTransfer] shows beforehand.
//
// # A tenant in one call
//
// [Provider.Provision] gives a customer what a [Spec] says: a subaccount, a number (moved or bought), a messaging service with the number
// in it, and what calls need: an API key, a TwiML application, what answers the numbers, a first access token. It looks before it makes,
// so it is called again after a failure or a crash, and makes nothing twice. [Provider.Plan] says what it would do.
//
// # A whole fleet
//
// [Provider.SyncAll] brings all documents up to date from a listing, 1000 accounts a request, and tells what changed as it is found.
// [Provider.Dashboard] counts the fleet for people.
//
// # Accounts from inside
//
// What happens inside an account goes through a [Handle], signed by that account's own credentials, which the handle finds by
// itself: [Provider.Subaccount] for a customer's, [Provider.Parent] for the parent's own. So the receiver tells whose credentials
// sign, and a customer's request can never land on the parent. Numbers are searched, bought and configured, messaging services made
// and filled, and messages sent as that account. Every answer must be about it. [Handle.Services] lends its credentials to any of
// twilio-go's services.
//
// What costs money or cannot be undone (creating, buying, releasing, sending) is never tried twice. After a lost reply the error is
// [ErrOutcomeUnknown], and the documentation of each method says how to look for what may have been done.
//
// # Calls
//
// [Handle.AccessToken] signs what a browser shows to Twilio, by an API key that is the account's own, which [Handle.EnsureAPIKey] makes,
// saves in the Store and finds again; [Provider.TokenHandler] renews tokens over HTTP, and [Handle.RotateAPIKey] replaces the key.
// [Handle.EnsureTwiMLApp] makes the application that a browser's calls reach, [Handle.PlaceCall] calls by itself, and
// [Handle.SetIncomingCalls] lets one URL, application or Studio flow answer all numbers of an account, [Provider.SetIncomingCalls] those
// of a fleet; their plans show what has drifted since.
//
// # Errors
//
// Every failure of a request is an [*Error] with the facts of it, and is of a kind:
//
//	switch {
//	case errors.Is(err, twilioacct.ErrNotFound): // 20404
//	case errors.Is(err, twilioacct.ErrUnauthenticated): // 20003
//	case errors.Is(err, twilioacct.ErrForbidden): // 20403
//	}
//
// A failure of the Store is a [*StoreError]; what Twilio had answered by then is returned beside it.
//
// # Secrets
//
// Tokens are of type [Secret], which prints itself nowhere; [Secret.Reveal] is the way out. Package mongostore keeps them in
// MongoDB as clear text, for the applications that read them there.
//
// # Tests
//
// Package twiliotest is a fake Twilio for tests of yours, and package storetest checks a Store of yours.
package twilioacct
