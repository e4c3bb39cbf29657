package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
)

// sent is a request as a server sees it.
type sent struct {
	line, host, form string
	header           http.Header
}

func sentBy(t *testing.T, r *http.Request) sent {
	t.Helper()
	form, err := io.ReadAll(r.Body)
	assert.NoError(t, err)
	header := r.Header.Clone()
	assert.NotEmpty(t, header.Get("User-Agent"))
	header.Del("User-Agent")
	return sent{r.Method + " " + r.RequestURI, r.Host, string(form), header}
}

// Whoever sends less, or decodes less, is faster.
func TestAHandleAndTheBareRequestSendAndDecodeTheSame(t *testing.T) {
	t.Parallel()
	var last sent
	s, err := newInside(t.Context(), func(tape http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			last = sentBy(t, r)
			tape.ServeHTTP(w, r)
		})
	})
	require.NoError(t, err)
	defer s.stop()
	bare := s.bare()

	n, err := s.handle.PhoneNumber(t.Context(), s.number)
	require.NoError(t, err)
	asked := last
	b, err := bare.phoneNumber(t.Context())
	require.NoError(t, err)
	assert.Equal(t, asked, last)
	assert.Equal(t, n, b.ours())

	m, err := s.handle.Send(t.Context(), s.order)
	require.NoError(t, err)
	asked = last
	c, err := bare.message(t.Context())
	require.NoError(t, err)
	assert.Equal(t, asked, last)
	assert.Contains(t, asked.form, "leaves+at+10%3A40")
	assert.Equal(t, m, c.ours())
}

func (n bareNumber) ours() twilioacct.PhoneNumber {
	return twilioacct.PhoneNumber{
		SID: n.SID, AccountSID: n.AccountSID, PhoneNumber: n.PhoneNumber, FriendlyName: n.FriendlyName,
		Capabilities: twilioacct.Capabilities(n.Capabilities),
		VoiceURL:     n.VoiceURL, VoiceMethod: n.VoiceMethod,
		VoiceFallbackURL: n.VoiceFallbackURL, VoiceFallbackMethod: n.VoiceFallbackMethod,
		VoiceApplicationSID: n.VoiceApplicationSID, TrunkSID: n.TrunkSID,
		SMSURL: n.SMSURL, SMSMethod: n.SMSMethod,
		SMSFallbackURL: n.SMSFallbackURL, SMSFallbackMethod: n.SMSFallbackMethod, SMSApplicationSID: n.SMSApplicationSID,
		StatusCallback: n.StatusCallback, StatusCallbackMethod: n.StatusCallbackMethod,
		AddressRequirements: n.AddressRequirements, AddressSID: n.AddressSID, BundleSID: n.BundleSID, IdentitySID: n.IdentitySID,
		EmergencyAddressSID: n.EmergencyAddressSID, Origin: n.Origin,
		DateCreated: n.DateCreated, DateUpdated: n.DateUpdated,
	}
}

func (m bareMessage) ours() twilioacct.Message {
	return twilioacct.Message{
		SID: m.SID, AccountSID: m.AccountSID, ServiceSID: m.ServiceSID, To: m.To, From: m.From, Body: m.Body,
		Status: twilioacct.MessageStatus(m.Status), Direction: m.Direction, Segments: m.Segments, Media: m.Media,
		ErrorCode: m.ErrorCode, ErrorMessage: m.ErrorMessage, Price: m.Price, PriceUnit: m.PriceUnit,
		DateCreated: m.DateCreated, DateUpdated: m.DateUpdated, DateSent: m.DateSent,
	}
}

// together holds every answer about more than the account itself until so many requests have arrived.
func together(callers int64, then http.Handler) http.Handler {
	var arrived atomic.Int64
	all := make(chan struct{})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "/Messages") && !strings.Contains(r.URL.Path, "/IncomingPhoneNumbers") {
			then.ServeHTTP(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body) // else nobody here notices that a client leaves
		if arrived.Add(1) == callers {
			close(all)
		}
		select {
		case <-all:
			then.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	})
}

// If any lock were held across a request, the others would never arrive.
func TestCallersOfOneHandleWaitForNoneOfTheOthers(t *testing.T) {
	t.Parallel()
	const callers = 50 // as many as the budget lets through
	s, err := newInside(t.Context(), func(tape http.Handler) http.Handler { return together(callers, tape) })
	require.NoError(t, err)
	defer s.stop()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for range callers / 2 {
		wg.Go(func() { assert.NoError(t, s.fetch(ctx)()) })
		wg.Go(func() { assert.NoError(t, s.send(ctx)()) })
	}
	wg.Wait()
}

func TestATapeAnswersNothingButWhatWasRecorded(t *testing.T) {
	t.Parallel()
	s, err := newInside(t.Context(), func(tape http.Handler) http.Handler { return tape })
	require.NoError(t, err)
	defer s.stop()
	_, err = s.handle.PhoneNumber(t.Context(), s.number)
	require.NoError(t, err)
	_, err = s.handle.PhoneNumber(t.Context(), "PN"+s.handle.SID()[2:])
	assert.ErrorIs(t, err, twilioacct.ErrNotFound)
}
