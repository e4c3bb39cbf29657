package rest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"
)

// errTimeout ends an attempt that took Config.Timeout while the caller would wait longer.
var errTimeout = errors.New("Twilio did not answer in time")

// attempt sends the request once, within the account's budget. Exactly one of the results is nil. What an attempt before it may
// have done, it does not take back.
func (c *Client) attempt(ctx context.Context, r *request, auth Auth, before *Failure) (*answer, *Failure) {
	release, err := c.budgets.acquire(ctx, auth.Account)
	if err != nil {
		return nil, r.unsent(before, Cause(ctx, err))
	}
	defer release()
	count(ctx)
	start := time.Now()
	answer, failure := c.exchange(ctx, r, auth)
	if failure != nil {
		failure.redact(auth.Password)
		failure.OutcomeUnknown = failure.OutcomeUnknown || before != nil && before.OutcomeUnknown
	}
	c.logAttempt(ctx, r, auth, answer, failure, time.Since(start))
	return answer, failure
}

func (c *Client) exchange(ctx context.Context, r *request, auth Auth) (*answer, *Failure) {
	limited, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimeout)
	defer cancel()
	resp, err := c.http.Do(r.http(limited, auth))
	if err != nil {
		return nil, r.unanswered(networkCause(limited, err))
	}
	answer := read(resp, r.buffer)
	if r.lean {
		answer.body = withoutSubresources(answer.body)
	}
	if answer.err != nil {
		answer.err = networkCause(limited, answer.err)
	}
	return answer, r.judge(answer)
}

// unsent is the failure of a request that found no time to be sent: the one before it, if there was one, says more.
func (r *request) unsent(before *Failure, err error) *Failure {
	f := &Failure{Method: r.method, Path: r.url.Path}
	if before != nil {
		*f = *before
	}
	f.Err = err
	return f
}

// unanswered is the failure of a request to which no answer came.
func (r *request) unanswered(err error) *Failure {
	return &Failure{
		Method:         r.method,
		Path:           r.url.Path,
		Err:            err,
		OutcomeUnknown: r.changes() && !neverSent(err),
	}
}

// judge is nil for the answer that the caller hoped for.
func (r *request) judge(a *answer) *Failure {
	if succeeded(a.status) && a.err == nil {
		mistake := a.mistake(r)
		if mistake == "" {
			return nil
		}
		f := failureOf(r.method, r.url.Path, a)
		f.Code, f.Message, f.MoreInfo = 0, mistake+kindOf(a.header), ""
		f.OutcomeUnknown = r.changes()
		return f
	}
	f := failureOf(r.method, r.url.Path, a)
	if a.err != nil {
		f.Message = "the answer broke off"
	}
	// After a 5xx nobody knows how far Twilio came, and an answer that broke off may have said yes.
	f.OutcomeUnknown = r.changes() && (a.status >= 500 || succeeded(a.status))
	return f
}

// answered is what is kept of a request and an answer that nothing is wrong with so far.
type answered struct {
	request *request
	status  int
	header  http.Header
	body    []byte // if it was a change; that of a list may be large
}

func (r *request) answeredBy(a *answer) *answered {
	kept := &answered{request: r, status: a.status, header: a.header}
	if r.changes() {
		kept.body = a.body
	}
	return kept
}

func (a *answered) facts() *Failure {
	return &Failure{
		Method:         a.request.method,
		Path:           a.request.url.Path,
		Status:         a.status,
		RequestID:      a.header.Get("Twilio-Request-Id"),
		OutcomeUnknown: a.request.changes(),
		body:           a.body,
	}
}

func (r *request) changes() bool { return r.method != http.MethodGet }

// neverSent is true only where it is certain: the connection was not even made.
func neverSent(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return true
	}
	var dns *net.DNSError
	return errors.As(err, &dns)
}

// Cause is the context's error where the context has ended: what the network said then is only its echo. Both the
// standard error and the caller's own cause can be asked for.
func Cause(ctx context.Context, err error) error {
	ended := ctx.Err()
	if ended == nil {
		return unwrapURL(err)
	}
	why := context.Cause(ctx)
	switch {
	case errors.Is(why, errTimeout):
		return errTimeout
	case errors.Is(why, ended):
		return why
	}
	return fmt.Errorf("%w: %w", ended, why)
}

// networkCause is Cause for what the network said. The caller's own client has time limits, too; theirs must not look as if the
// caller's context had ended.
func networkCause(ctx context.Context, err error) error {
	err = Cause(ctx, err)
	if ctx.Err() == nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		return fmt.Errorf("%w: %s", errTimeout, err) //nolint:errorlint // it shall not be found
	}
	return err
}

// unwrapURL takes away every *url.Error, which repeats the query: names and numbers of customers.
func unwrapURL(err error) error {
	var outer *url.Error
	for errors.As(err, &outer) {
		err = outer.Err
	}
	return err
}

func (c *Client) logAttempt(ctx context.Context, r *request, auth Auth, a *answer, f *Failure, took time.Duration) {
	if !c.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", r.method),
		slog.String("host", r.host),
		slog.String("path", r.url.Path),
		slog.String("account", auth.Account),
		slog.Duration("took", took),
	}
	if a != nil {
		attrs = append(attrs, slog.Int("status", a.status), slog.String("request_id", a.header.Get("Twilio-Request-Id")))
	}
	if f != nil {
		attrs = append(attrs, slog.Int("code", f.Code), slog.Any("error", f.Err))
	}
	c.log.LogAttrs(ctx, slog.LevelDebug, "twilio request", attrs...)
}
