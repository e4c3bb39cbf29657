// Package setup is the beginning that all examples share: it reads the environment, and opens what it names. Without Twilio
// credentials that is a fake Twilio and a store in memory, so that every example runs anywhere.
package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/twilioacct/twilioacct"
)

// The environment, beside the credentials that twilioacct.CredentialsFromEnv reads.
const (
	envBaseURL    = "TWILIO_BASE_URL"
	envURI        = "MONGODB_URI"
	envDatabase   = "MONGODB_DATABASE"
	envCollection = "MONGODB_COLLECTION"
)

// How long a program waits for Twilio: for one answer, and in all before it gives up. The library's own times are long for
// somebody who sits at a terminal.
const (
	answerTime = 10 * time.Second
	retryTime  = 15 * time.Second
)

// Env is what an example works with.
type Env struct {
	Parent  twilioacct.Credentials
	Options twilioacct.Options // for twilioacct.New; its Store is open
	SIDs    []string           // the accounts that the program is about
	Demo    *Demo              // the accounts of the fake; nil at the real Twilio, and of a fleet

	timePasses func() // nil at the real Twilio, where nobody has to ask for it
	close      func()
}

// Open reads the environment and opens what it names. What is worth knowing about that is a line on notes. The environment being
// wrong is twilioacct.ErrInvalid, a MongoDB that does not answer is [ErrStore].
func Open(ctx context.Context, notes io.Writer) (*Env, error) {
	return open(ctx, notes, Offline, false)
}

// OpenFleet is Open for a program about all accounts at once: offline there is [OfflineFleet].
func OpenFleet(ctx context.Context, notes io.Writer) (*Env, error) {
	return open(ctx, notes, OfflineFleet, false)
}

// OpenMaking is Open for a program that makes accounts: an account that has no document in the store gets one.
func OpenMaking(ctx context.Context, notes io.Writer) (*Env, error) {
	return open(ctx, notes, Offline, true)
}

// OpenCalling is OpenMaking for a program about calls: offline there is [OfflineCalls].
func OpenCalling(ctx context.Context, notes io.Writer) (*Env, error) {
	return open(ctx, notes, OfflineCalls, true)
}

// IsOffline tells whether Open and the others would work on a fake.
func IsOffline() bool {
	_, err := twilioacct.CredentialsFromEnv()
	return errors.Is(err, twilioacct.ErrNoCredentials)
}

func open(ctx context.Context, notes io.Writer, offline func() *Env, makes bool) (*Env, error) {
	env, err := fromEnvironment(notes, offline)
	if err != nil {
		return nil, err
	}
	if err := env.openStore(ctx, notes, makes); err != nil {
		return nil, err
	}
	return env, nil
}

// OpenFor is Open for a program about the accounts with these SIDs. Offline, none stands for all of the fake's; at the real
// Twilio it is twilioacct.ErrInvalid. Beside [ErrStore] there is an Env, with an empty store in memory.
func OpenFor(ctx context.Context, sids []string, notes io.Writer) (*Env, error) {
	env, err := fromEnvironment(notes, Offline)
	if err != nil {
		return nil, err
	}
	switch {
	case len(sids) > 0:
		env.SIDs = sids
	case env.Demo != nil:
		env.SIDs = env.Demo.SIDs()
	default:
		return nil, invalid("which account? Give at least one SID (AC…)")
	}
	err = env.openStore(ctx, notes, false)
	return env, err
}

// Close closes what Open opened.
func (e *Env) Close() { e.close() }

// TimePasses changes a little of the fake's fleet, so that a program that looks again has something to see. The real Twilio does so
// by itself.
func (e *Env) TimePasses() {
	if e.timePasses != nil {
		e.timePasses()
	}
}

func fromEnvironment(notes io.Writer, offline func() *Env) (*Env, error) {
	parent, err := twilioacct.CredentialsFromEnv()
	if errors.Is(err, twilioacct.ErrNoCredentials) {
		fmt.Fprintln(notes, offlineNote())
		return offline(), nil
	}
	if err != nil {
		return nil, err
	}
	return &Env{
		Parent: parent,
		Options: twilioacct.Options{
			BaseURL:        os.Getenv(envBaseURL),
			RequestTimeout: answerTime,
			MaxRetryWait:   retryTime,
		},
		close: func() {},
	}, nil
}

// openStore opens the store, unless it is open already. One that makes has a document for each account that it is to keep.
func (e *Env) openStore(ctx context.Context, notes io.Writer, makes bool) error {
	uri := os.Getenv(envURI)
	if e.Options.Store == nil && uri == "" {
		fmt.Fprintln(notes, envURI+" is not set: the store is in memory (MemStore), empty now and gone when the program ends.")
		e.Options.Store = twilioacct.NewMemStore()
	}
	if memory, ok := e.Options.Store.(*twilioacct.MemStore); ok {
		if makes {
			memory.Making()
		}
		return nil
	}
	store, disconnect, err := openMongo(ctx, uri, makes)
	if err != nil {
		e.Options.Store = twilioacct.NewMemStore()
		return err
	}
	e.Options.Store, e.close = store, disconnect
	return nil
}

// invalid is what the user has to mend.
type invalid string

func (e invalid) Error() string { return string(e) }
func (e invalid) Unwrap() error { return twilioacct.ErrInvalid }

// offlineNote also names what is set but not used: nothing of the fake's may get into somebody's MongoDB.
func offlineNote() string {
	note := []string{"Offline: no Twilio credentials are set, so this runs on a fake Twilio (twiliotest) and a store in memory (MemStore)."}
	for _, unused := range []string{envBaseURL, envURI} {
		if os.Getenv(unused) != "" {
			note = append(note, unused+" is not used.")
		}
	}
	return strings.Join(note, " ")
}
