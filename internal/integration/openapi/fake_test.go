package openapi

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func TestTheFakesKeysAndApplicationsAreAsTwilioDocumentsThem(t *testing.T) {
	t.Parallel()
	for kind, create := range map[string]string{"Key": "CreateNewKey", "Application": "CreateApplication"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			tenant := newTenant(t, twiliotest.NewServer(t))
			sid, _ := tenant.must(create, "", documentedForm(t, create))["sid"].(string)
			tenant.must(create, "", nil)
			assert.NotEmpty(t, tenant.must("List"+kind, "", url.Values{"PageSize": {"1"}})["next_page_uri"])
			tenant.must("Fetch"+kind, sid, nil)
			tenant.must("Update"+kind, sid, documentedForm(t, "Update"+kind))
			tenant.must("Delete"+kind, sid, nil)
			for _, gone := range []string{"Fetch", "Update", "Delete"} {
				assert.Equal(t, 20404, tenant.refusal(gone+kind, sid, nil), gone)
			}
		})
	}
}

func TestAnApplicationOfTheFakeIsFoundByItsNameAndItsURLsCanBeEmptied(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t, twiliotest.NewServer(t))
	sid, _ := tenant.must("CreateApplication", "", documentedForm(t, "CreateApplication"))["sid"].(string)
	assert.Len(t, tenant.must("ListApplication", "", url.Values{"FriendlyName": {"something"}})["applications"], 1)
	assert.Empty(t, tenant.must("ListApplication", "", url.Values{"FriendlyName": {"nothing"}})["applications"])
	emptied := url.Values{}
	for name := range documentedForm(t, "UpdateApplication") {
		if strings.HasSuffix(name, "Url") || strings.HasSuffix(name, "Callback") {
			emptied.Set(name, "")
		}
	}
	assert.Nil(t, tenant.must("UpdateApplication", sid, emptied)["voice_url"])
	assert.Equal(t, 21402, tenant.refusal("UpdateApplication", sid, url.Values{"VoiceUrl": {"ftp://a.example/"}}))
}

func TestTheFakesKeysAreClosedToStandardKeysAsTwilioDocumentsErrors(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	tenant := newTenant(t, fake)
	key := fake.AddKey(tenant.sid, twiliotest.StandardKey)
	tenant.user, tenant.password = key.SID, key.Secret
	for _, operation := range []string{"CreateNewKey", "ListKey", "FetchKey", "UpdateKey", "DeleteKey"} {
		assert.Equal(t, 20003, tenant.refusal(operation, key.SID, nil), operation)
	}
	tenant.must("ListApplication", "", nil)
}

func TestTheFakesCallsBeginAsTwilioDocumentsThem(t *testing.T) {
	t.Parallel()
	fake := twiliotest.NewServer(t)
	tenant := newTenant(t, fake)
	from := fake.AddPhoneNumber(tenant.sid, twiliotest.PhoneNumber{}).PhoneNumber
	whole := documentedForm(t, "CreateCall")
	maps.Copy(whole, url.Values{
		"To": {"+12083186206"}, "From": {from}, "CallerId": {from}, "ApplicationSid": {fake.AddApplication(tenant.sid)},
		"SendDigits": {"ww1234#"}, "AsyncAmd": {"true"}, "MachineDetection": {"Enable"}, "Trim": {"trim-silence"},
		"RecordingChannels": {"dual"}, "RecordingTrack": {"both"}, "RecordingStatusCallback": {"https://a.example/recorded"},
		"RecordingStatusCallbackEvent": {"in-progress", "completed"}, "StatusCallbackEvent": {"initiated", "answered"},
		"MachineDetectionSpeechThreshold": {"2400"}, "MachineDetectionSpeechEndThreshold": {"1200"}, "MachineDetectionSilenceTimeout": {"5000"},
	})
	sid, _ := tenant.must("CreateCall", "", whole)["sid"].(string)
	tenant.must("FetchCall", sid, nil)
	assert.Len(t, tenant.must("ListCall", "", url.Values{"Status": {"queued"}})["calls"], 1)
	tenant.must("UpdateCall", sid, url.Values{"Status": {"completed"}})

	for caller, code := range map[string]int{"+14155550100": 21210, "nobody": 21212, "": 21213} {
		whole.Set("From", caller)
		assert.Equal(t, code, tenant.refusal("CreateCall", "", whole), caller)
	}
	alice := url.Values{"To": {"client:alice"}, "From": {"client:bob"}, "Twiml": {"<Response><Hangup/></Response>"}}
	tenant.must("CreateCall", "", alice)
}

// A tenant is an account of a fake. What it sends and what it is answered goes through Check.
type tenant struct {
	t                   *testing.T
	next                http.RoundTripper
	sid, user, password string
}

func newTenant(t *testing.T, fake *twiliotest.Server) tenant {
	t.Helper()
	account := fake.AddSubaccount("tenant")
	return tenant{t, Check(t, fake.HTTPClient().Transport), account.SID, account.SID, account.AuthToken}
}

// must is the answer to an operation that must succeed, nil where that has no body.
func (a tenant) must(operation, sid string, parameters url.Values) map[string]any {
	a.t.Helper()
	status, told := a.send(operation, sid, parameters)
	success, _ := successOf(documentedCalled(a.t, operation))
	require.Equal(a.t, success, status, "%s: %v", operation, told)
	return told
}

// refusal is the code with which an operation is refused, 0 if it is not.
func (a tenant) refusal(operation, sid string, parameters url.Values) int {
	a.t.Helper()
	_, told := a.send(operation, sid, parameters)
	code, _ := told["code"].(float64)
	return int(code)
}

// send calls an operation on the resource with this SID, or on all if the operation's path has none.
func (a tenant) send(operation, sid string, parameters url.Values) (status int, told map[string]any) {
	a.t.Helper()
	documented := documentedCalled(a.t, operation)
	address := strings.NewReplacer("{AccountSid}", a.sid, "{Sid}", sid).Replace(documented.address)
	request := post(address, parameters.Encode())
	if documented.method != http.MethodPost {
		request = with(get(address+"?"+parameters.Encode()), func(r *http.Request) { r.Method = documented.method })
	}
	request.SetBasicAuth(a.user, a.password)
	response, err := a.next.RoundTrip(request)
	require.NoError(a.t, err)
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		require.NoError(a.t, json.NewDecoder(response.Body).Decode(&told), operation)
	}
	return response.StatusCode, told
}

// documentedForm has every parameter of an operation's form.
func documentedForm(t *testing.T, operation string) url.Values {
	t.Helper()
	request := sampleRequest(documentedCalled(t, operation))
	require.NoError(t, request.ParseForm())
	return request.PostForm
}
