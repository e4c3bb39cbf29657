package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const codeTooManyRequests = 20429

// waits are the pauses of one call between its attempts.
type waits struct {
	left    time.Duration
	timeout time.Duration // of an attempt: one that ended so was a wait, too
	backoff *backoff.ExponentialBackOff
}

func (c *Client) newWaits() *waits { return &waits{left: c.maxRetryWait, timeout: c.timeout} }

// before waits for the next attempt, or says that there is none: because the request must not be repeated, because the wait
// that Twilio asks for is longer than what is left or than the context lives, or because the context ended meanwhile.
func (w *waits) before(ctx context.Context, r *request, f *Failure) bool {
	if !repeatable(r, f) {
		return false
	}
	if ctx.Err() != nil {
		f.Err = Cause(ctx, f.Err)
		return false
	}
	if errors.Is(f.Err, errTimeout) {
		w.left -= w.timeout
	}
	wait := max(w.next(), f.RetryAfter)
	if wait > w.left {
		return false
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return false // the failure that is known now says more than a deadline would
	}
	w.left -= wait
	if Sleep(ctx, wait) {
		return true
	}
	f.Err = Cause(ctx, f.Err)
	return false
}

// next spreads the attempts of many callers, and doubles each time. It is made late: most calls never wait.
func (w *waits) next() time.Duration {
	if w.backoff == nil {
		w.backoff = backoff.NewExponentialBackOff()
		w.backoff.InitialInterval = 250 * time.Millisecond
		w.backoff.Multiplier = 2
		w.backoff.MaxInterval = 8 * time.Second
		w.backoff.Reset()
	}
	return w.backoff.NextBackOff()
}

// repeatable decides whether the request may be sent again after this failure.
func repeatable(r *request, f *Failure) bool {
	switch {
	case f.Status == http.StatusTooManyRequests:
		// Too many requests at once (20429) was not processed, whatever it was. Other codes are limits of another kind, such
		// as Verify's 60203 that lasts ten minutes: their caller must know.
		return f.Code == 0 || f.Code == codeTooManyRequests
	case !r.repeatable:
		return false // it may have reached Twilio: the caller must look first
	case f.Status == http.StatusNotImplemented:
		return false
	case f.Status >= 500 || f.Status == http.StatusRequestTimeout:
		return true
	case f.Status == 0 || succeeded(f.Status):
		return f.Err != nil && passing(f.Err)
	}
	return false // Twilio has decided, and will decide the same
}

// passing is true for what another attempt may get past: a reset, a time-out, an answer that broke off.
func passing(err error) bool {
	var certificate *tls.CertificateVerificationError
	if errors.As(err, &certificate) {
		return false
	}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return false
	}
	return !errors.Is(err, errTooLarge)
}

// Sleep waits, and is false if the context ends before.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
