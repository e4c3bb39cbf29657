package openapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	aNumber  = "PN" + strings.Repeat("a", 32)
	aService = "MG" + strings.Repeat("a", 32)
)

func TestOneWrongFieldOfAnAnswerIsReported(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operation, field string
		value            any
		want             []string
	}{
		"a number where a service is due": {
			"FetchPhoneNumber", "service_sid", aNumber,
			[]string{`service_sid: "` + aNumber + `": string doesn't match the regular expression "^MG[0-9a-fA-F]{32}$"`},
		},
		"a list of capabilities where an object is due": {
			"FetchIncomingPhoneNumber", "capabilities", []string{"SMS"}, []string{`capabilities: value must be an object`},
		},
		"an object of capabilities where a list is due": {
			"FetchPhoneNumber", "capabilities", map[string]bool{"sms": true}, []string{`capabilities: value must be an array`},
		},
		"a capability that is not known": {
			"FetchIncomingPhoneNumber", "capabilities", map[string]bool{"voice": true, "sms": true, "mms": true, "fax": true, "SMS": true},
			[]string{`capabilities: property "SMS" is unsupported: it is not documented`},
		},
		"an owned number without fax": {
			"FetchIncomingPhoneNumber", "capabilities", map[string]bool{"voice": true, "sms": true, "mms": true},
			[]string{`capabilities.fax: property "fax" is missing`},
		},
		"an ISO date in v2010": {
			"FetchIncomingPhoneNumber", "date_created", "2021-02-17T15:12:01Z",
			[]string{`date_created: string doesn't match the format "date-time-rfc-2822" ` +
				`("2021-02-17T15:12:01Z" is not like "Mon, 02 Jan 2006 15:04:05 -0700")`},
		},
		"a date of v2010 in messaging": {
			"FetchService", "date_created", "Wed, 17 Feb 2021 15:12:01 +0000",
			[]string{`date_created: string doesn't match the format "date-time" ` +
				`("Wed, 17 Feb 2021 15:12:01 +0000" is not like "2006-01-02T15:04:05Z07:00")`},
		},
		"a day that there is not": {
			"FetchService", "date_created", "2021-02-30T15:12:01Z",
			[]string{`date_created: string doesn't match the format "date-time" ` +
				`("2021-02-30T15:12:01Z" is not like "2006-01-02T15:04:05Z07:00")`},
		},
		"a path for a page of messaging": {
			"ListService", "meta.next_page_url", "/v1/Services?Page=1",
			[]string{`meta.next_page_url: string doesn't match the format "address at Twilio" ` +
				`(string doesn't match pattern "^https://([a-z0-9-]+\.)+twilio\.com/")`},
		},
		"a page of messaging that is elsewhere": {
			"ListService", "meta.next_page_url", "https://messaging.twilio.com.example/v1/Services?Page=1",
			[]string{`meta.next_page_url: string doesn't match the format "address at Twilio" ` +
				`(string doesn't match pattern "^https://([a-z0-9-]+\.)+twilio\.com/")`},
		},
		"a whole address for a page of v2010": {
			"ListIncomingPhoneNumber", "next_page_uri", "https://api.twilio.com/2010-04-01/Accounts.json",
			[]string{`next_page_uri: string doesn't match the format "path at Twilio" ` +
				`(string doesn't match pattern "^/2010-04-01/")`},
		},
		"a last page":          {"ListService", "meta.next_page_url", nil, nil},
		"a last page of v2010": {"ListIncomingPhoneNumber", "next_page_uri", nil, nil},
		"a resource without an address": {
			"FetchService", "links", map[string]string{"phone_numbers": ""},
			[]string{
				`links.phone_numbers: minimum string length is 1`,
				`links.phone_numbers: string doesn't match the format "address at Twilio" ` +
					`(string doesn't match pattern "^https://([a-z0-9-]+\.)+twilio\.com/")`,
			},
		},
		"a number where it is told in text":   {"FetchMessage", "num_segments", 1, []string{`num_segments: value must be a string`}},
		"a code in text where it is a number": {"FetchMessage", "error_code", "30003", []string{`error_code: value must be an integer`}},
		"a message that has pictures":         {"FetchMessage", "sid", "MM" + strings.Repeat("a", 32), nil},
		"an address of the customer":          {"FetchIncomingPhoneNumber", "voice_url", "/voice", nil},
		"an application that is not set":      {"FetchIncomingPhoneNumber", "voice_application_sid", "", nil},
		"a trunk that is not set":             {"FetchIncomingPhoneNumber", "trunk_sid", nil, nil},
		"a latitude in text":                  {"ListAvailablePhoneNumberLocal", "available_phone_numbers.latitude", "-19.720000", nil},
		"a message whose status is not known": {
			"FetchMessage", "status", "lost",
			[]string{`status: "lost": value is not one of the allowed values ["queued","sending","sent","failed","delivered",` +
				`"undelivered","receiving","received","accepted","scheduled","read","partially_delivered","canceled"]`},
		},
		"an application of another kind": {
			"FetchIncomingPhoneNumber", "voice_application_sid", aNumber,
			[]string{`voice_application_sid: "` + aNumber + `": string doesn't match the regular expression "^$|^AP[0-9a-fA-F]{32}$"`},
		},
		"a trunk that is empty and not null": {
			"FetchIncomingPhoneNumber", "trunk_sid", "",
			[]string{
				`trunk_sid: minimum string length is 34`,
				`trunk_sid: "": string doesn't match the regular expression "^TK[0-9a-fA-F]{32}$"`,
			},
		},
		"a latitude that is no number": {
			"ListAvailablePhoneNumberLocal", "available_phone_numbers.latitude", "far",
			[]string{`available_phone_numbers.0.latitude: "far": string doesn't match the regular expression "^-?[0-9]+(\.[0-9]+)?$"`},
		},
		"a number on sale without fax": {
			"ListAvailablePhoneNumberMobile", "available_phone_numbers.capabilities",
			map[string]bool{"voice": true, "sms": true, "mms": true}, nil,
		},
		"a toll-free number whose standing is not known": {
			"ListTollfreeVerification", "verifications.status", "APPROVED",
			[]string{`verifications.0.status: "APPROVED": value is not one of the allowed values ` +
				`["PENDING_REVIEW","IN_REVIEW","TWILIO_APPROVED","TWILIO_REJECTED"]`},
		},
		"a campaign with one wrong field": {
			"ListUsAppToPerson", "compliance.mock", "no", []string{`compliance.0.mock: value must be a boolean`},
		},
		"a campaign between its two forms": {
			"ListUsAppToPerson", "compliance.privacy_policy_url", "https://a.example/privacy",
			[]string{`compliance.0: property "privacy_policy_url" is unsupported: it is not documented`},
		},
		"a key in a list with its secret": {
			"ListKey", "keys.secret", "secret", []string{`keys.0: property "secret" is unsupported: it is not documented`},
		},
		"a key that tells its account": {
			"FetchKey", "account_sid", accountSID, []string{`property "account_sid" is unsupported: it is not documented`},
		},
		"a new key whose SID is a number's": {
			"CreateNewKey", "sid", aNumber,
			[]string{`sid: "` + aNumber + `": string doesn't match the regular expression "^SK[0-9a-fA-F]{32}$"`},
		},
		"a key's ISO date": {
			"ListKey", "keys.date_created", "2021-02-17T15:12:01Z",
			[]string{`keys.0.date_created: string doesn't match the format "date-time-rfc-2822" ` +
				`("2021-02-17T15:12:01Z" is not like "Mon, 02 Jan 2006 15:04:05 -0700")`},
		},
		"an application that answers no calls":       {"FetchApplication", "voice_url", nil, nil},
		"an application whose voice URL was emptied": {"FetchApplication", "voice_url", "", nil},
		"an application that is asked by PUT": {
			"UpdateApplication", "voice_method", "PUT",
			[]string{`voice_method: "PUT": value is not one of the allowed values ["GET","POST"]`},
		},
		"a yes in text": {
			"ListApplication", "applications.voice_caller_id_lookup", "true",
			[]string{`applications.0.voice_caller_id_lookup: value must be a boolean`},
		},
		"a call that has not begun":      {"CreateCall", "start_time", nil, nil},
		"a call whose price is a number": {"CreateCall", "price", -0.03, []string{`price: value must be a string`}},
		"a call whose recordings are at a whole address": {
			"CreateCall", "subresource_uris", map[string]string{"recordings": "https://api.twilio.com/2010-04-01/Accounts.json"},
			[]string{`subresource_uris.recordings: string doesn't match the format "path at Twilio" ` +
				`(string doesn't match pattern "^/2010-04-01/")`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			operation := documentedCalled(t, c.operation)
			request := sampleRequest(operation)
			var want []string
			for _, problem := range c.want {
				want = append(want, request.Method+" "+request.URL.Path+": the answer: "+problem)
			}
			assert.ElementsMatch(t, want, reported(t, request, withFields(t, operation, map[string]any{c.field: c.value})))
		})
	}
}

func TestACampaignInItsSecondFormPasses(t *testing.T) {
	t.Parallel()
	list := documentedCalled(t, "ListUsAppToPerson")
	assert.Empty(t, reported(t, sampleRequest(list), withFields(t, list, map[string]any{
		"compliance.privacy_policy_url":       "https://a.example/privacy",
		"compliance.terms_and_conditions_url": "https://a.example/terms",
	})))
}

func TestAnAnswerToADeleteIsNothing(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"DeleteApplication", "DeleteIncomingPhoneNumber", "DeleteKey", "DeleteMessage", "DeletePhoneNumber", "DeleteService",
	} {
		request := sampleRequest(documentedCalled(t, id))
		where := "DELETE " + request.URL.Path + ": the answer: "
		assert.Empty(t, reported(t, request, answer{204, ""}))
		assert.Equal(t, []string{where + "status 200 is not documented, only 204"}, reported(t, request, answer{200, "{}"}))
	}
}

func TestOneWrongParameterIsReported(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operation, parameter, value, want string
	}{
		"a day that is no date": {
			"ListMessage", "DateSent<", "yesterday",
			`query parameter "DateSent<": string doesn't match the format "date-time" ("yesterday" is not like "2006-01-02T15:04:05Z07:00")`,
		},
		"a day between two": {"ListMessage", "DateSent=", "2021-02-17T15:12:01Z", `query parameter "DateSent=": is not documented`},
		"a call of no status": {
			"ListCall", "Status", "lost",
			`query parameter "Status": "lost": value is not one of the allowed values ` +
				`["queued","ringing","in-progress","completed","busy","failed","no-answer","canceled"]`,
		},
		"an area code in letters": {
			"ListAvailablePhoneNumberLocal", "AreaCode", "SFO", `query parameter "AreaCode": "SFO" is not an integer`,
		},
		"another number for the same SID": {
			"UpdateIncomingPhoneNumber", "PhoneNumber", "+14155550100", `form parameter "PhoneNumber": is not documented`,
		},
		"a new owner whose SID is cut off": {
			"UpdateIncomingPhoneNumber", "AccountSid", "AC1",
			`form parameter "AccountSid": minimum string length is 34`,
		},
		"a service for a number": {
			"CreatePhoneNumber", "PhoneNumberSid", aService,
			`form parameter "PhoneNumberSid": "` + aService + `": string doesn't match the regular expression "^PN[0-9a-fA-F]{32}$"`,
		},
		"a key sought by its name": {"ListKey", "FriendlyName", "phone", `query parameter "FriendlyName": is not documented`},
		"a key of a kind":          {"CreateNewKey", "KeyType", "restricted", `form parameter "KeyType": is not documented`},
		"an application's voice URL without a scheme": {
			"CreateApplication", "VoiceUrl", "a.example/voice",
			`form parameter "VoiceUrl": string doesn't match the format "uri" ("a.example/voice" is neither absolute nor a path)`,
		},
		"an application's method that is emptied": {
			"UpdateApplication", "VoiceMethod", "",
			`form parameter "VoiceMethod": "": value is not one of the allowed values ["GET","POST"]`,
		},
		"a number for yes": {
			"UpdateApplication", "VoiceCallerIdLookup", "1", `form parameter "VoiceCallerIdLookup": "1" is not true or false`,
		},
		"a call to a number's SID instead of an application's": {
			"CreateCall", "ApplicationSid", aNumber,
			`form parameter "ApplicationSid": "` + aNumber + `": string doesn't match the regular expression "^AP[0-9a-fA-F]{32}$"`,
		},
		"a call that rings for a minute": {"CreateCall", "Timeout", "1m", `form parameter "Timeout": "1m" is not an integer`},
		"a new call that is to be over":  {"CreateCall", "Status", "completed", `form parameter "Status": is not documented`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			operation := documentedCalled(t, c.operation)
			request := sampleRequest(operation)
			where := request.Method + " " + request.URL.Path + ": the request: "
			success, _ := successOf(operation)
			problems := reported(t, withParameter(t, request, c.parameter, c.value), answer{success, sampleBody(t, operation, success)})
			assert.Contains(t, problems, where+c.want)
		})
	}
}

func TestANumberWhereAServiceIsDueInAPathIsReported(t *testing.T) {
	t.Parallel()
	list := documentedCalled(t, "ListPhoneNumber")
	request := get("https://messaging.twilio.com/v1/Services/" + aNumber + "/PhoneNumbers")
	assert.Equal(t, []string{
		`GET /v1/Services/` + aNumber + `/PhoneNumbers: the request: parameter "ServiceSid" in path has an error: "` + aNumber +
			`": string doesn't match the regular expression "^MG[0-9a-fA-F]{32}$"`,
	}, reported(t, request, answer{200, sampleBody(t, list, 200)}))
}

func TestAParameterThatIsRequiredIsMissed(t *testing.T) {
	t.Parallel()
	for id, missing := range map[string][]string{
		"CreateMessage": {"To"}, "CreateService": {"FriendlyName"}, "CreatePhoneNumber": {"PhoneNumberSid"},
		"CreateCall": {"To", "From"}, "CreateApplication": nil, "CreateNewKey": nil,
	} {
		operation := documentedCalled(t, id)
		request := sampleRequest(operation)
		var want []string
		for _, name := range missing {
			want = append(want, "POST "+request.URL.Path+`: the request: form parameter "`+name+`" is required, but missing`)
		}
		empty := post(request.URL.String(), "")
		assert.Equal(t, want, reported(t, empty, answer{201, sampleBody(t, operation, 201)}), id)
	}
}

func documentedCalled(t *testing.T, id string) documentedOperation {
	t.Helper()
	all := documentedOperations(t)
	i := slices.IndexFunc(all, func(one documentedOperation) bool { return one.OperationID == id })
	require.GreaterOrEqual(t, i, 0, id)
	return all[i]
}

// withFields is the sample of an operation's answer with some fields changed.
func withFields(t *testing.T, operation documentedOperation, changes map[string]any) answer {
	t.Helper()
	success, schema := successOf(operation)
	body := sample(schema)
	for field, value := range changes {
		set(t, body, field, value)
	}
	text, err := json.Marshal(body)
	require.NoError(t, err)
	return answer{success, string(text)}
}

// set changes the field at a path, through the only item of every list on the way.
func set(t *testing.T, in any, path string, value any) {
	t.Helper()
	if list, ok := in.([]any); ok {
		in = list[0]
	}
	object, ok := in.(map[string]any)
	require.True(t, ok, path)
	first, rest, deeper := strings.Cut(path, ".")
	if deeper {
		set(t, object[first], rest, value)
		return
	}
	object[first] = value
}

// withParameter sets one of a request's parameters, in the form where there is one.
func withParameter(t *testing.T, request *http.Request, name, value string) *http.Request {
	t.Helper()
	if request.Method == http.MethodPost {
		require.NoError(t, request.ParseForm())
		request.PostForm.Set(name, value)
		return post(request.URL.String(), request.PostForm.Encode())
	}
	query := request.URL.Query()
	query.Set(name, value)
	request.URL.RawQuery = query.Encode()
	return request
}
