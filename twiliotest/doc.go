// Package twiliotest is a fake of Twilio's accounts API for the tests of
// programs that manage subaccounts. It has state: an account that was created
// can be fetched, listed, suspended and closed, its credentials work until
// they do not, and a test can change all of it behind the program's back, make
// any request fail in any way ([Server.Inject]), and look at what arrived
// ([Server.Requests]).
//
//	fake := twiliotest.NewServer(t)
//	tenant := fake.AddSubaccount("Tenant 7")
//	provider, err := twilioacct.New(twilioacct.Credentials{
//		AccountSID: fake.Parent().SID,
//		AuthToken:  twilioacct.NewSecret(fake.Parent().AuthToken),
//	}, &twilioacct.Options{HTTPClient: fake.HTTPClient()})
//
// [Server.HTTPClient] calls the fake without a socket and so works inside a
// testing/synctest bubble, where hours of retrying take no time.
// [Server.SocketClient] and [Server.URL] are the same fake over real HTTP. A
// program that has a base URL of its own must leave the Host header as it was:
// it tells which of Twilio's hosts a request is for.
//
// # What it can be trusted with
//
// From Twilio's OpenAPI files: paths, methods, parameters and their bounds,
// names and types of all members, the SIDs' pattern, the form of dates and of
// pages, the statuses of success. From Twilio's documentation or recorded
// answers: the form of errors and the meaning of their codes; the HTTP statuses
// of 20003, 20403, 20404, 20429, 20500 and 21479; the names of the Twilio-…
// headers; that closing is final, that a suspended or closed subaccount's own
// credentials get 20003, that a parent's list contains the parent, that
// Standard keys may not touch accounts and Main keys see no auth token.
//
// The following is convention, where Twilio is silent or not deterministic, and
// it may behave differently:
//
//   - the HTTP statuses of all other errors, and the words of all messages
//   - lists are newest first; accounts created while a list is read are not in
//     it; page tokens have the form seen in examples, with any SID of the list
//   - Page without PageToken is the first page, whatever its number
//   - FriendlyName is limited to 64 characters by 20002; an empty one counts as
//     not sent; bad values of PageSize, Page and of the Status filter are 20001
//   - a closed account can be renamed, and closing it again is 21479
//   - a subaccount that asks for another account, or sets its own status, gets
//     401/20003
//   - every request of a suspended parent is 403/20005. So 21476, an update
//     under a suspended parent, never comes by itself: inject it
//   - the numeric status of one example in Twilio's files is refused: 21475
//
// It has no rate limit unless told so ([WithConcurrencyLimit]), and new
// accounts and tokens work at once, while Twilio may need a moment: inject a
// 401 to see what a program does about that. Closed accounts stay until
// [Server.DeleteAccount]. OAuth, test credentials, Regions, HTTP/2, compression
// and answers in XML are missing. Requests to anything else that Twilio knows
// are refused as unknown, and fail the test.
package twiliotest
