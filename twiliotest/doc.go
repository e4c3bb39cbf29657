// Package twiliotest is a fake of Twilio for the tests of programs that manage
// subaccounts: accounts and what they own, API keys, phone numbers, messaging
// services, messages, TwiML applications and calls. It has state: an account
// that was created can be fetched, listed, suspended and closed, its
// credentials work until they do not, a number that was bought is not for sale
// any more. A test can change all of it behind the program's back, make any
// request fail in any way ([Server.Inject]), and look at what arrived
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
// # What there is
//
// Each of these can be done through the API and seen by the test:
//
//   - accounts: create, list, fetch, update ([Server.Account])
//   - API keys: create, list, fetch, update, delete ([Server.Key],
//     [Server.AddKeyWith]). The access tokens that they sign are checked by
//     [Server.VerifyAccessToken], as Twilio would when a browser comes with one
//   - phone numbers that are for sale: search for local, mobile and toll-free
//     ones ([Server.AddAvailable], [Server.TakeAvailable]). A server begins
//     with some hundred numbers of the US, Canada, Great Britain, Germany and
//     France, always the same ones
//   - phone numbers that somebody owns: buy, list, fetch, update, move to
//     another account, release ([Server.PhoneNumber], [Server.AddPhoneNumber])
//   - messaging services: create, list, fetch, update, delete, and the same
//     for the numbers in them ([Server.MessagingService]). Campaigns and
//     toll-free verifications can be listed; [Server.RegisterA2P] and
//     [Server.VerifyTollFree] make them
//   - messages: send, list, fetch, redact, cancel, delete ([Server.Message]).
//     They go nowhere by themselves: [Server.SetMessageStatus] brings one
//     forward, [Server.Receive] is one that comes in
//   - applications: create, list, fetch, update, delete
//     ([Server.Application], [Server.AddApplicationWith])
//   - calls: place, list, fetch, end ([Server.Call], [Server.AddCall]). They
//     do not go on by themselves: [Server.SetCallStatus] answers and ends
//     them. [Server.AnsweredBy] tells what a call that comes in would reach
//
// # What it can be trusted with
//
// From Twilio's OpenAPI files: paths, methods, parameters and their bounds,
// names and types of all members, the SIDs' pattern, the form of dates and of
// pages, the statuses of success. From Twilio's documentation or recorded
// answers: the form of errors and the meaning of their codes; the HTTP statuses
// of 20003, 20403, 20404, 20429, 20500, 21479, 21701, 21710 and 21712; the
// names of the Twilio-… headers; that closing is final and releases all
// numbers, that a suspended or closed subaccount's own credentials get 20003,
// that a parent's list contains the parent, that Standard keys may not touch
// accounts and keys and Main keys see no auth token; that a key's secret is
// told once; what an access token must say, and that it lives 24 hours at most;
// that only the parent's auth token reaches into a subaccount, and only in the
// 2010 API, while the messaging API knows no account but the signer's; that a
// number keeps its SID when it moves, and is in one messaging service at most,
// which may keep its messages from its own webhook; that calls to a number
// reach its trunk before its application before its voice URL.
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
// Of phone numbers:
//
//   - under a suspended account the parent may read, configure, move and
//     release, but buying and sending is 403/20005; under a closed one every
//     change is 403/20403
//   - a move keeps name, webhooks and methods; it empties the SIDs of
//     applications, trunk, address, bundle, identity and emergency address that
//     are not sent with it, switches emergency calling off, and takes the
//     number out of its messaging service (but see [WithMoveKeepsMembership]);
//     toll-free verifications stay behind
//   - numbers to buy must be in E.164; a purchase without number and area code
//     is 21421, by area code the first local number in the order of searches
//   - SIDs that are not set are null and addresses "", while Twilio's examples
//     have either in places; "toll-free" is the type of toll-free numbers
//   - every address, bundle, identity and trunk of the right form exists, in
//     every account; applications must be the account's (21420)
//   - a search without matches is empty, also for a type that the country does
//     not have; a country that the stock has never had is 404/20404. Its answer
//     is one page without links, as in Twilio's examples; latitudes are
//     numbers, as in its schema, and not strings, as in the examples
//   - SmsEnabled=false finds numbers without SMS; the place of a number that is
//     not in the stock is that of one with the same area code
//
// Of messaging services and messages:
//
//   - defaults: sticky sender, MMS converter, smart encoding, area code
//     geomatch and the obsolete fallback to long codes are on, the use case is
//     undeclared
//   - a service that the signer does not have is 404/21701 where it is about
//     its numbers, 404/20404 otherwise; a number that is not in it 404/20404
//   - a new message is checked in this order: recipient, sender given, content,
//     schedule, sender allowed, trial, opt-out. To must be in E.164, or contain
//     a colon as whatsapp:+14155550100 does; such senders need not be owned,
//     nor alphanumeric ones of 11 characters at most
//   - 21212, 21266, 21609, 21620, 21623, 30409, 35114 and 35118 are the codes
//     for a bad From, To equal to From, a bad StatusCallback, bad media, more
//     than ten of them, canceling what is not scheduled, and schedules too
//     early or late or without a messaging service
//   - an opt-out counts for all senders of an account; STOP has no effect until
//     [Server.OptOut]
//   - a message can be redacted and deleted in any status, and has no date of
//     sending before it is sent; it has no price
//   - canceling a call that somebody has answered changes nothing; what a call
//     is told to do is kept and not done; lists of calls find
//     with StartTime< what began before that day, lists of messages with
//     DateSent< also what was sent on it
//
// Of keys, applications, calls and access tokens:
//
//   - keys and applications without a FriendlyName have an empty one, and there
//     is no limit to keys (but see [WithKeyLimit]); addresses that are not set
//     are null in applications, as in Twilio's examples
//   - under a suspended account the parent may make and change keys and
//     applications; under a closed one that is 403/20403
//   - a deleted application stays in the phone numbers that point to it, as
//     what answers nobody; it does not give way to the number's own URL
//   - a call is refused for its parties first, then for what it is to do, then
//     for its caller: 21218 for an application that is not the account's, 21205
//     if there is neither Url nor Twiml nor ApplicationSid, 20001 for more than
//     4000 characters of TwiML, 21210 for a number that is not the account's,
//     not verified ([Server.VerifyCallerID]) or has no voice. Phones are called
//     in E.164 and from a number; client:alice and sip:alice@example.com call
//     each other
//   - an access token without jti, with an iat that is ahead, or that grants
//     nothing is taken
//   - an access token whose application is not the account's is 21218, as
//     Twilio's browser library has it; Twilio may accept the token and refuse
//     the call. Clocks are exact, where Twilio may forgive a little
//
// It has no rate limit unless told so ([WithConcurrencyLimit]), and new
// accounts and tokens work at once, while Twilio may need a moment: see
// [WithActivationDelay]. Closed accounts stay until [Server.DeleteAccount], and
// their messages and services with them. OAuth, test credentials, Regions,
// HTTP/2, compression, answers in XML and calls to webhooks are missing.
// Requests to anything else that Twilio knows are refused as unknown, and fail
// the test.
package twiliotest
