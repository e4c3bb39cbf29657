// Package twilioacct manages Twilio accounts and subaccounts.
package twilioacct
