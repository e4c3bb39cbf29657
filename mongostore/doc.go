// Package mongostore is a [twilioacct.Store] on MongoDB. It works in the application's own documents: it finds them by the
// account's SID, by default in twilio_account.sid, writes only its own few fields, and leaves every other field as it is.
//
//	{
//	  _id: …, name: "Acme", plan: "gold",        // the application's, never touched
//	  twilio_account: {
//	    sid: "AC…",                              // found by; set by Adopt and Upsert
//	    authToken: "…", status: "active",        // written
//	    tenant: "acme",
//	    apiKeys: { voice: { sid: "SK…", secret: "…" } },
//	    rev: 7                                   // counts our writes; missing is 0
//	  }
//	}
//
// An account that has no document is left alone, unless [Options.Upsert] is set; [Store.Adopt] gives it one of the application's.
//
// # Secrets are clear text
//
// Auth tokens and the secrets of API keys lie in MongoDB as clear text, as the programs that read these documents expect them:
// whoever can read the collection, its backups or its change streams can act for the accounts, until a Store that seals them is
// put in front. The driver's command monitors and debug logs, and the server's profiler, see the writes with the secrets in
// them. No filter of ours contains a secret.
//
// # What it asks of MongoDB
//
// Version 4.4 or later, with read concern majority (in 4.4 it can be switched off). One document holds a SID: call
// [Store.EnsureIndexes] once, in a migration, or create [Store.Indexes] with your own tools. Without an index on the SID everything
// works, but each search reads the whole collection: one for an account that is saved, one for each 1000 of a fleet, and with
// [Options.Upsert] one for each document that is made, for which a bulk has no time in a large collection. Without a unique one
// several documents may come to hold one SID; then all of them are written, and [twilioacct.Record.Copies] says so. What a save does
// not name stays in each of them.
//
// A document in which a field of ours is something else than it should be, such as a status that is an array, cannot be read. It is
// never taken for a record, and a save leaves it exactly as it is; only [Store.SaveBatch] may set a field in it unseen. If other
// documents hold its SID, they are read and written all the same, and Copies counts it. It is no failure then, so that a mistake in
// one document does not keep another from being synced. A scan names each such document, but for one in which only the tenant or the
// API keys are odd: a scan does not read them, and so there Copies alone tells.
//
// Whatever the collection's handle is set to, reads here are from the primary with read concern majority, and writes have
// write concern majority: a token that was saved survives a failover. Every write sets absolute values under the revision that
// was read, so doing it again is safe. Other programs may change our fields as well; where they want to be seen in time by a
// Save under way, they increase the revision too.
package mongostore
