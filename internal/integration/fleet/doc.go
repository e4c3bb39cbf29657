// Package fleet syncs whole fleets between a fake Twilio and documents in MongoDB, with odd documents, a database that fails or is
// away, many processes at once and processes that are killed.
package fleet
