package twiliotest

import (
	"net/http"
	"time"
)

const (
	keysPath = "/2010-04-01/Accounts/{AccountSid:AC}/Keys.json"
	keyPath  = "/2010-04-01/Accounts/{AccountSid:AC}/Keys/{Sid:SK}.json"
)

var keyRoutes = []route{
	{operation: "CreateNewKey", method: http.MethodPost, host: apiHost, path: keysPath,
		params: paramsOf(keySettings), handle: noStandardKeys(changing(createKey))},
	{operation: "ListKey", method: http.MethodGet, host: apiHost, path: keysPath,
		params: paged(), handle: noStandardKeys(reading(listKeys))},
	{operation: "FetchKey", method: http.MethodGet, host: apiHost, path: keyPath,
		handle: noStandardKeys(reading(withKey(fetchKey)))},
	{operation: "UpdateKey", method: http.MethodPost, host: apiHost, path: keyPath,
		params: paramsOf(keySettings), handle: noStandardKeys(changing(withKey(updateKey)))},
	{operation: "DeleteKey", method: http.MethodDelete, host: apiHost, path: keyPath,
		handle: noStandardKeys(changing(withKey(deleteKey)))},
}

var keySettings = []setting[Key]{
	named(func(k *Key) *string { return &k.FriendlyName }),
}

func withKey(handle func(*call, *Key) answer) func(*call, *account) answer {
	return func(c *call, owner *account) answer {
		k := c.server.keys.of(owner.SID).get(c.pathVar("Sid"))
		if k == nil {
			return c.refuse(20404)
		}
		return handle(c, k)
	}
}

func createKey(c *call, owner *account) answer {
	k, code := settled(c, keySettings, Key{AccountSID: owner.SID})
	limit := c.server.config.keyLimit
	switch {
	case code != 0:
		return c.refuse(code)
	case limit > 0 && c.server.keys.of(owner.SID).count() >= limit:
		return c.refuse(70151)
	}
	created := c.server.openKey(k, time.Now())
	return jsonAnswer(http.StatusCreated, mustJSON(newKeyJSON{created.shown(), created.Secret}))
}

func listKeys(c *call, owner *account) answer {
	return listSeries(c, "keys", c.server.keys.of(owner.SID), every, (*Key).json)
}

func fetchKey(_ *call, k *Key) answer { return jsonAnswer(http.StatusOK, k.json()) }

func updateKey(c *call, k *Key) answer {
	is, code := settled(c, keySettings, *k)
	if code != 0 {
		return c.refuse(code)
	}
	*k = is
	k.DateUpdated = time.Now()
	return jsonAnswer(http.StatusOK, k.json())
}

func deleteKey(c *call, k *Key) answer {
	c.server.keys.remove(k.AccountSID, k.SID)
	return noContent()
}

// json is a key as Twilio shows it: neither its secret nor its account.
func (k *Key) json() []byte { return mustJSON(k.shown()) }

func (k *Key) shown() keyJSON {
	return keyJSON{k.SID, k.FriendlyName, rfc2822{k.DateCreated}, rfc2822{k.DateUpdated}}
}

type keyJSON struct {
	SID          string  `json:"sid"`
	FriendlyName string  `json:"friendly_name"`
	DateCreated  rfc2822 `json:"date_created"`
	DateUpdated  rfc2822 `json:"date_updated"`
}

type newKeyJSON struct {
	keyJSON
	Secret string `json:"secret"`
}
