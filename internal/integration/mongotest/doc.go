// Package mongotest is a small server for tests which speaks MongoDB's wire
// protocol, so that the official Go driver talks to it unchanged, with
// sessions, retryable writes, transactions and change streams. It needs no
// installed MongoDB, starts in microseconds, and can be told to fail: see
// Fault.
//
// Most tests need only Collection. Tests with faults, or which look at the
// commands sent, begin with Start:
//
//	server := mongotest.Start(t)
//	accounts := server.Collection(t)
//	server.Inject(mongotest.LostReply("update"))
//
// # Not MongoDB
//
// A test which passes here is worth what the two have in common. Known
// differences:
//
//   - All writes take turns under one lock. So there is never a WriteConflict
//     between plain writes, and two upserts of one document never end in
//     E11000: inject both. Compare-and-set and leases are atomic, as they are
//     in MongoDB.
//   - An open transaction keeps all other writers waiting, for up to a minute
//     (then error 24). A second transaction gives up after 100 ms with a
//     WriteConflict. Nothing ends a forgotten transaction but its session or
//     the server.
//   - Write and read concerns are accepted and mean nothing, except that a
//     write concern of more than one server gives MongoDB's error 100 after
//     the write. There are no elections and no rollbacks; inject their errors.
//   - The types MinKey, MaxKey, Undefined, JavaScript (with or without scope),
//     Symbol and DBPointer are refused (238). All others come back byte for
//     byte and in the same order of fields, but that _id moves to the front,
//     as MongoDB moves it.
//   - There is no collation, no sparse, text, hashed, geo, hidden or wildcard
//     index, no update with a pipeline, no positional "$", no $expr, $regex or
//     $where, no capped collection, validator or view: each is refused (238).
//     What MongoDB doesn't know either is refused with MongoDB's code.
//   - A pipeline has $match, $sort, $limit, $skip, $project (show and hide),
//     $group (with $sum and $count) and $count; a change stream $match and
//     $project.
//   - Two indexes with the same key but another partial filter cannot coexist
//     (85), as in MongoDB before 5.0.
//   - Indexes are listed by name, not by age.
//   - Indexes guarantee uniqueness and expiry; queries never use them. A write
//     takes time in proportion to the collection: keep to some thousand
//     documents, and measure nothing.
//   - Expired documents go about every 60 seconds, as in MongoDB, or at once
//     by Expire.
//   - UpdateMany changes all of its documents or none; MongoDB keeps those it
//     changed before an error.
//   - maxTimeMS ends the wait of a change stream, and nothing else.
//   - An update of a document whose _id is a binary (as a UUID) or a document
//     is a "replace" in the change stream.
//   - Cursors and sessions live until they are closed or the server is.
//   - No authentication, no TLS, no compression, no exhaust cursors.
package mongotest
