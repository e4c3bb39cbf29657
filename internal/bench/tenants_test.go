package main

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/twiliotest"
)

func onFake(fake *twiliotest.Server) twilioacct.Options {
	return twilioacct.Options{HTTPClient: fake.HTTPClient()}
}

// In a bubble nothing takes time but Twilio, so the figures are the same each time.
func TestSetUp16AtOnceTenantsTakeATwelfthOfTheTimeAndKeepTheBudget(t *testing.T) {
	t.Parallel()
	for budget, most := range map[int]int{50: 16, 8: 8} {
		synctest.Test(t, func(t *testing.T) {
			many, single := &setUp{callers: 16, budget: budget}, &setUp{callers: 1, budget: budget}
			took, err := many.time(t.Context(), 200)
			require.NoError(t, err)
			oneByOne, err := single.time(t.Context(), 20)
			require.NoError(t, err)
			assert.Equal(t, 20*6*50*time.Millisecond, oneByOne, "six requests each")
			assert.LessOrEqual(t, took, 10*oneByOne/12)
			assert.Equal(t, most, many.most)
			assert.Equal(t, 1, single.most)
		})
	}
}

func TestATenantWithoutItsNumberInItsServiceIsNotComplete(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	require.NoError(t, complete(fake, 0))
	require.Error(t, complete(fake, 1), "one is missing")
	tenant := fake.AddSubaccount("")
	number := fake.AddPhoneNumber(tenant.SID, twiliotest.PhoneNumber{})
	require.Error(t, complete(fake, 1), "it has no service")
	fake.AddMessagingService(tenant.SID, twiliotest.MessagingService{PhoneNumberSIDs: []string{number.SID}})
	require.NoError(t, complete(fake, 1))
	other := fake.AddSubaccount("")
	require.Error(t, complete(fake, 1), "there is one more")
	fake.DeleteAccount(other.SID)
	require.NoError(t, complete(fake, 1))
	fake.AddPhoneNumber(tenant.SID, twiliotest.PhoneNumber{})
	assert.Error(t, complete(fake, 1), "it has bought twice")
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestACrowdIsCountedForEachAccount(t *testing.T) {
	t.Parallel()
	var arrived sync.WaitGroup
	c := newCrowd(transportFunc(func(*http.Request) (*http.Response, error) {
		arrived.Done()
		arrived.Wait()
		return &http.Response{}, nil
	}))
	ask := func(accounts ...string) {
		arrived.Add(len(accounts))
		var all sync.WaitGroup
		for _, a := range accounts {
			all.Go(func() {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.twilio.com", nil)
				assert.NoError(t, err)
				r.SetBasicAuth(a, "")
				_, err = c.RoundTrip(r)
				assert.NoError(t, err)
			})
		}
		all.Wait()
	}
	ask("a", "b", "c")
	assert.Equal(t, 1, c.most())
	ask("a", "b", "a", "a", "b")
	assert.Equal(t, 3, c.most())
	ask("b")
	assert.Equal(t, 3, c.most(), "those before have gone")
	assert.Equal(t, map[string]int{"a": 0, "b": 0, "c": 0}, c.underWay)
}
