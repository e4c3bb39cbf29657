package twiliotest

import (
	"net/http"
	"time"
)

const (
	applicationsPath = "/2010-04-01/Accounts/{AccountSid:AC}/Applications.json"
	applicationPath  = "/2010-04-01/Accounts/{AccountSid:AC}/Applications/{Sid:AP}.json"
)

var applicationRoutes = []route{
	{operation: "CreateApplication", method: http.MethodPost, host: apiHost, path: applicationsPath,
		params: paramsOf(applicationSettings), handle: changing(createApplication)},
	{operation: "ListApplication", method: http.MethodGet, host: apiHost, path: applicationsPath,
		params: paged("FriendlyName"), handle: reading(listApplications)},
	{operation: "FetchApplication", method: http.MethodGet, host: apiHost, path: applicationPath,
		handle: reading(withApplication(fetchApplication))},
	{operation: "UpdateApplication", method: http.MethodPost, host: apiHost, path: applicationPath,
		params: paramsOf(applicationSettings), handle: changing(withApplication(updateApplication))},
	{operation: "DeleteApplication", method: http.MethodDelete, host: apiHost, path: applicationPath,
		handle: changing(withApplication(deleteApplication))},
}

var applicationSettings = []setting[Application]{
	named(func(a *Application) *string { return &a.FriendlyName }),
	text("ApiVersion", anything, func(a *Application) *string { return &a.APIVersion }),
	text("VoiceUrl", anyURL, func(a *Application) *string { return &a.VoiceURL }),
	text("VoiceMethod", anyMethod, func(a *Application) *string { return &a.VoiceMethod }),
	text("VoiceFallbackUrl", anyURL, func(a *Application) *string { return &a.VoiceFallbackURL }),
	text("VoiceFallbackMethod", anyMethod, func(a *Application) *string { return &a.VoiceFallbackMethod }),
	flag("VoiceCallerIdLookup", func(a *Application) *bool { return &a.VoiceCallerIDLookup }),
	text("StatusCallback", anyURL, func(a *Application) *string { return &a.StatusCallback }),
	text("StatusCallbackMethod", anyMethod, func(a *Application) *string { return &a.StatusCallbackMethod }),
	text("SmsUrl", anyURL, func(a *Application) *string { return &a.SMSURL }),
	text("SmsMethod", anyMethod, func(a *Application) *string { return &a.SMSMethod }),
	text("SmsFallbackUrl", anyURL, func(a *Application) *string { return &a.SMSFallbackURL }),
	text("SmsFallbackMethod", anyMethod, func(a *Application) *string { return &a.SMSFallbackMethod }),
	text("MessageStatusCallback", anyURL, func(a *Application) *string { return &a.MessageStatusCallback }),
	text("SmsStatusCallback", anyURL, func(a *Application) *string { return &a.SMSStatusCallback }),
	flag("PublicApplicationConnectEnabled", func(a *Application) *bool { return &a.PublicApplicationConnectEnabled }),
}

func withApplication(handle func(*call, *Application) answer) func(*call, *account) answer {
	return func(c *call, owner *account) answer {
		a := c.server.applications.of(owner.SID).get(c.pathVar("Sid"))
		if a == nil {
			return c.refuse(20404)
		}
		return handle(c, a)
	}
}

func createApplication(c *call, owner *account) answer {
	a, code := settled(c, applicationSettings, Application{AccountSID: owner.SID})
	switch {
	case code != 0:
		return c.refuse(code)
	case c.server.applications.of(owner.SID).count() >= c.server.config.applicationLimit:
		return c.refuse(21301)
	}
	return jsonAnswer(http.StatusCreated, c.server.openApplication(a, time.Now()).json())
}

func listApplications(c *call, owner *account) answer {
	wanted, byName := c.param("FriendlyName")
	shows := func(a *Application) bool { return !byName || a.FriendlyName == wanted }
	return listSeries(c, "applications", c.server.applications.of(owner.SID), shows, (*Application).json)
}

func fetchApplication(_ *call, a *Application) answer { return jsonAnswer(http.StatusOK, a.json()) }

func updateApplication(c *call, a *Application) answer {
	is, code := settled(c, applicationSettings, *a)
	if code != 0 {
		return c.refuse(code)
	}
	*a = is
	a.DateUpdated = time.Now()
	return jsonAnswer(http.StatusOK, a.json())
}

func deleteApplication(c *call, a *Application) answer {
	c.server.applications.remove(a.AccountSID, a.SID)
	return noContent()
}

// json is an application as Twilio shows it. Addresses that are not set are
// null.
func (a *Application) json() []byte {
	return mustJSON(applicationJSON{
		AccountSID:                      a.AccountSID,
		APIVersion:                      a.APIVersion,
		DateCreated:                     rfc2822{a.DateCreated},
		DateUpdated:                     rfc2822{a.DateUpdated},
		FriendlyName:                    a.FriendlyName,
		MessageStatusCallback:           orNull(a.MessageStatusCallback),
		SID:                             a.SID,
		SMSFallbackMethod:               a.SMSFallbackMethod,
		SMSFallbackURL:                  orNull(a.SMSFallbackURL),
		SMSMethod:                       a.SMSMethod,
		SMSStatusCallback:               orNull(a.SMSStatusCallback),
		SMSURL:                          orNull(a.SMSURL),
		StatusCallback:                  orNull(a.StatusCallback),
		StatusCallbackMethod:            a.StatusCallbackMethod,
		URI:                             "/2010-04-01/Accounts/" + a.AccountSID + "/Applications/" + a.SID + ".json",
		VoiceCallerIDLookup:             a.VoiceCallerIDLookup,
		VoiceFallbackMethod:             a.VoiceFallbackMethod,
		VoiceFallbackURL:                orNull(a.VoiceFallbackURL),
		VoiceMethod:                     a.VoiceMethod,
		VoiceURL:                        orNull(a.VoiceURL),
		PublicApplicationConnectEnabled: a.PublicApplicationConnectEnabled,
	})
}

type applicationJSON struct {
	AccountSID                      string  `json:"account_sid"`
	APIVersion                      string  `json:"api_version"`
	DateCreated                     rfc2822 `json:"date_created"`
	DateUpdated                     rfc2822 `json:"date_updated"`
	FriendlyName                    string  `json:"friendly_name"`
	MessageStatusCallback           *string `json:"message_status_callback"`
	SID                             string  `json:"sid"`
	SMSFallbackMethod               string  `json:"sms_fallback_method"`
	SMSFallbackURL                  *string `json:"sms_fallback_url"`
	SMSMethod                       string  `json:"sms_method"`
	SMSStatusCallback               *string `json:"sms_status_callback"`
	SMSURL                          *string `json:"sms_url"`
	StatusCallback                  *string `json:"status_callback"`
	StatusCallbackMethod            string  `json:"status_callback_method"`
	URI                             string  `json:"uri"`
	VoiceCallerIDLookup             bool    `json:"voice_caller_id_lookup"`
	VoiceFallbackMethod             string  `json:"voice_fallback_method"`
	VoiceFallbackURL                *string `json:"voice_fallback_url"`
	VoiceMethod                     string  `json:"voice_method"`
	VoiceURL                        *string `json:"voice_url"`
	PublicApplicationConnectEnabled bool    `json:"public_application_connect_enabled"`
}
