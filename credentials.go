package twilioacct

import (
	"errors"
	"fmt"
	"os"

	"github.com/twilioacct/twilioacct/internal/rest"
)

// Credentials sign requests: an account's SID with its auth token, or with an API key of that account.
//
// The parent's auth token is what the whole library works with. An API key does less: a main key lists and fetches accounts,
// but Twilio hides their auth tokens from it, and a standard key is refused on accounts altogether.
//
// https://www.twilio.com/docs/iam/api-keys
type Credentials struct {
	AccountSID string // AC…
	AuthToken  Secret // this,
	APIKeySID  string // or SK… …
	APISecret  Secret // … with its secret
}

// The environment that [CredentialsFromEnv] reads.
const (
	envAccountSID = "TWILIO_ACCOUNT_SID"
	envAuthToken  = "TWILIO_AUTH_TOKEN"
	envAPIKey     = "TWILIO_API_KEY"
	envAPISecret  = "TWILIO_API_SECRET"
)

// ErrNoCredentials says that the environment names no Twilio account at all.
var ErrNoCredentials = errors.New("no Twilio credentials in the environment: set " + envAccountSID + " and " + envAuthToken)

// CredentialsFromEnv reads TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN, or with TWILIO_API_KEY and TWILIO_API_SECRET; where both
// are set the auth token wins. It is for main: nothing else in this package reads the environment. Without any of them the
// error is [ErrNoCredentials]; a SID or a key without its secret is [ErrInvalid], for a program that was given half of its
// credentials must not run with none.
func CredentialsFromEnv() (Credentials, error) {
	c := Credentials{AccountSID: os.Getenv(envAccountSID), AuthToken: NewSecret(os.Getenv(envAuthToken))}
	if c.AuthToken.IsZero() {
		c.APIKeySID, c.APISecret = os.Getenv(envAPIKey), NewSecret(os.Getenv(envAPISecret))
	}
	if c.AccountSID == "" && c.AuthToken.IsZero() && c.APIKeySID == "" && c.APISecret.IsZero() {
		return c, ErrNoCredentials
	}
	if err := c.check(); err != nil {
		return Credentials{}, fmt.Errorf("%s, %s, %s, %s: %w", envAccountSID, envAuthToken, envAPIKey, envAPISecret, err)
	}
	return c, nil
}

// refusedBecause is what a parent's 401 may mean: Twilio does not say which.
func (c Credentials) refusedBecause() string {
	if c.APIKeySID != "" {
		return "API key " + c.APIKeySID + " is wrong or deleted, or it is a standard key, which may not touch accounts " +
			"(use the auth token or a main key), or the parent is suspended or closed"
	}
	return "the parent's credentials are wrong or may not do this, or the parent is suspended or closed"
}

// check refuses what could only fail, or worse, sign for somebody else.
func (c Credentials) check() error {
	byToken, byKey := !c.AuthToken.IsZero(), c.APIKeySID != "" || !c.APISecret.IsZero()
	switch {
	case !isSID("AC", c.AccountSID):
		return invalid("credentials: account SID %s is not AC and 32 hex digits", quote(c.AccountSID))
	case byToken && byKey:
		return invalid("credentials of %s: give the auth token or the API key, not both", c.AccountSID)
	case byToken && !isPlain(c.AuthToken.Reveal()):
		return invalid("credentials of %s: the auth token has characters that no token has", c.AccountSID)
	case byToken:
		return nil
	case !byKey:
		return invalid("credentials of %s: the auth token is empty", c.AccountSID)
	case !isSID("SK", c.APIKeySID):
		return invalid("credentials of %s: API key SID %s is not SK and 32 hex digits", c.AccountSID, quote(c.APIKeySID))
	case c.APISecret.IsZero():
		return invalid("credentials of %s: the secret of API key %s is empty", c.AccountSID, c.APIKeySID)
	case !isPlain(c.APISecret.Reveal()):
		return invalid("credentials of %s: the API key's secret has characters that no secret has", c.AccountSID)
	}
	return nil
}

// isPlain is true for letters and digits: a space or a line end from a file is found here, not in a 401.
func isPlain(s string) bool { return isOf(capitals+smallLetters+digits, s) }

func (c Credentials) auth() rest.Auth {
	if c.APIKeySID != "" {
		return rest.Auth{Account: c.AccountSID, User: c.APIKeySID, Password: c.APISecret.Reveal()}
	}
	return rest.Auth{Account: c.AccountSID, User: c.AccountSID, Password: c.AuthToken.Reveal()}
}
