package storetest

import (
	"strings"
	"testing"

	"github.com/twilioacct/twilioacct"
)

// records are the checks of what is kept, and of what a Save changes of it.
func (s suite) records() cases {
	return cases{
		"Load returns what is kept":                       s.loadReturnsWhatIsKept,
		"Load of an unknown account is ErrNoRecord":       s.loadMisses,
		"Load of what is no SID finds nothing":            s.loadOfNonsense,
		"Save fills an empty record":                      s.saveFills,
		"Save changes only the fields that are set":       s.saveChangesOnlyWhatIsSet,
		"Save merges API keys one by one":                 s.saveMergesKeys,
		"Save replaces an API key":                        s.saveReplacesAKey,
		"an empty field never replaces a kept one":        s.emptyReplacesNothing,
		"Save removes what Remove names":                  s.saveRemoves,
		"Save removes one field and sets another":         s.saveRemovesAndSets,
		"Save of an unknown account makes no record":      s.saveMakesNothing,
		"Makes tells that Save makes no records":          s.makesTruly,
		"Save refuses a malformed record":                 s.saveRefusesMalformed,
		"odd strings come back as they were":              s.oddStrings,
		"every form of purpose works":                     s.oddPurposes,
		"a record that was returned shares nothing":       s.sharesNothing,
		"accounts do not touch each other":                s.accountsAreApart,
		"SIDs that differ only in case are other records": s.sidsAreExact,
	}
}

func (s suite) loadReturnsWhatIsKept(t *testing.T) {
	store := s.new(t, full())
	got := load(t, store, sid(1))
	wantRecord(t, "the record", got, full())
	if got.Copies != 1 || len(got.Remove) != 0 {
		t.Errorf("Copies is %d and Remove %v, want 1 and none", got.Copies, got.Remove)
	}
	store = s.new(t, bare())
	wantRecord(t, "the bare record", load(t, store, sid(1)), bare())
}

func (s suite) loadMisses(t *testing.T) {
	r, err := s.new(t, full()).Load(t.Context(), sid(2))
	wantError(t, "Load", err, twilioacct.ErrNoRecord)
	wantRecord(t, "the record beside the error", r, twilioacct.Record{})
}

func (s suite) loadOfNonsense(t *testing.T) {
	store := s.new(t, full())
	for _, nonsense := range []string{"", "AC", "$ne", "a.b", sid(1) + "0", " " + sid(1), keySID(1), "AC\x00"} {
		if r, err := store.Load(t.Context(), nonsense); err == nil {
			t.Errorf("Load(%q) found %s", nonsense, describe(r))
		}
	}
}

func (s suite) saveFills(t *testing.T) {
	store := s.new(t, bare())
	want := full()
	want.Rev = 0
	saved := save(t, store, want)
	want.Rev = saved.Rev
	wantRecord(t, "what Save returned", saved, want)
	wantRecord(t, "what Load returned", load(t, store, sid(1)), want)
	if saved.Rev <= 0 {
		t.Errorf("the revision after the first Save is %d", saved.Rev)
	}
	if saved.Copies != 1 {
		t.Errorf("Copies is %d, want 1", saved.Copies)
	}
}

// check saves a change of the full record, and compares.
func (s suite) check(t *testing.T, change, want twilioacct.Record) {
	t.Helper()
	store := s.new(t, full())
	change.SID, change.Rev = sid(1), full().Rev
	saved := save(t, store, change)
	want.Rev = saved.Rev
	wantRecord(t, "what Save returned", saved, want)
	wantRecord(t, "what Load returned", load(t, store, sid(1)), want)
	if saved.Rev <= full().Rev {
		t.Errorf("the revision was %d and is %d: it did not grow", full().Rev, saved.Rev)
	}
	if len(saved.Remove) != 0 {
		t.Errorf("the saved record still has Remove %v", saved.Remove)
	}
}

func (s suite) saveChangesOnlyWhatIsSet(t *testing.T) {
	want := full()
	want.AuthToken = secret("other")
	s.check(t, twilioacct.Record{AuthToken: secret("other")}, want)
	want = full()
	want.Status = twilioacct.StatusSuspended
	s.check(t, twilioacct.Record{Status: twilioacct.StatusSuspended}, want)
	want = full()
	want.Tenant = "other"
	s.check(t, twilioacct.Record{Tenant: "other"}, want)
}

func (s suite) saveMergesKeys(t *testing.T) {
	key := twilioacct.APIKey{SID: keySID(3), Secret: secret("secret-3")}
	want := full()
	want.APIKeys["sync"] = key
	s.check(t, twilioacct.Record{APIKeys: map[string]twilioacct.APIKey{"sync": key}}, want)
}

func (s suite) saveReplacesAKey(t *testing.T) {
	key := twilioacct.APIKey{SID: keySID(3), Secret: secret("secret-3")}
	want := full()
	want.APIKeys["voice"] = key
	s.check(t, twilioacct.Record{APIKeys: map[string]twilioacct.APIKey{"voice": key}}, want)
}

func (s suite) emptyReplacesNothing(t *testing.T) {
	store := s.new(t, full())
	saved := save(t, store, twilioacct.Record{SID: sid(1), Rev: full().Rev, APIKeys: map[string]twilioacct.APIKey{}})
	wantRecord(t, "what Save returned", saved, full())
	wantRecord(t, "what Load returned", load(t, store, sid(1)), full())
}

func (s suite) saveRemoves(t *testing.T) {
	for field, take := range map[twilioacct.Field]func(*twilioacct.Record){
		twilioacct.FieldAuthToken:       func(r *twilioacct.Record) { r.AuthToken = twilioacct.Secret{} },
		twilioacct.FieldStatus:          func(r *twilioacct.Record) { r.Status = "" },
		twilioacct.FieldTenant:          func(r *twilioacct.Record) { r.Tenant = "" },
		twilioacct.APIKeyField("voice"): func(r *twilioacct.Record) { delete(r.APIKeys, "voice") },
	} {
		want := full()
		take(&want)
		s.check(t, twilioacct.Record{Remove: fields(field)}, want)
	}
	s.check(t, twilioacct.Record{Remove: fields(
		twilioacct.FieldAuthToken, twilioacct.FieldStatus, twilioacct.FieldTenant,
		twilioacct.APIKeyField("voice"), twilioacct.APIKeyField("chat"), twilioacct.APIKeyField("chat"),
	)}, bare())
}

func (s suite) saveRemovesAndSets(t *testing.T) {
	want := full()
	want.Status = twilioacct.StatusClosed
	delete(want.APIKeys, "chat")
	change := twilioacct.Record{Status: twilioacct.StatusClosed, Remove: fields(twilioacct.APIKeyField("chat"))}
	s.check(t, change, want)
}

func (s suite) saveMakesNothing(t *testing.T) {
	store := s.new(t, full())
	for _, rev := range []int64{0, 3} {
		refuses(t, store, twilioacct.Record{SID: sid(2), Status: twilioacct.StatusActive, Rev: rev}, twilioacct.ErrNoRecord)
	}
}

func (s suite) saveRefusesMalformed(t *testing.T) {
	store := s.new(t, full())
	key := func(purpose string, k twilioacct.APIKey) map[string]twilioacct.APIKey {
		return map[string]twilioacct.APIKey{purpose: k}
	}
	good := twilioacct.APIKey{SID: keySID(3), Secret: secret("x")}
	for name, r := range map[string]twilioacct.Record{
		"no SID":                    {Status: "active"},
		"a SID of another kind":     {SID: keySID(1), Status: "active"},
		"a SID that is too short":   {SID: sid(1)[:33], Status: "active"},
		"a negative revision":       {SID: sid(1), Status: "active", Rev: -1},
		"a purpose with a dot":      {SID: sid(1), APIKeys: key("a.b", good), Rev: 7},
		"a purpose with a dollar":   {SID: sid(1), APIKeys: key("$set", good), Rev: 7},
		"an empty purpose":          {SID: sid(1), APIKeys: key("", good), Rev: 7},
		"a purpose that is long":    {SID: sid(1), APIKeys: key(strings.Repeat("a", 33), good), Rev: 7},
		"a key without its secret":  {SID: sid(1), APIKeys: key("voice", twilioacct.APIKey{SID: keySID(3)}), Rev: 7},
		"a key without its SID":     {SID: sid(1), APIKeys: key("voice", twilioacct.APIKey{Secret: secret("x")}), Rev: 7},
		"an unknown removal":        {SID: sid(1), Remove: fields("rev"), Rev: 7},
		"a removal with a dot":      {SID: sid(1), Remove: fields(twilioacct.APIKeyField("a.b")), Rev: 7},
		"a status set and removed":  {SID: sid(1), Status: "closed", Remove: fields(twilioacct.FieldStatus), Rev: 7},
		"a token set and removed":   {SID: sid(1), AuthToken: secret("x"), Remove: fields(twilioacct.FieldAuthToken), Rev: 7},
		"a tenant set and removed":  {SID: sid(1), Tenant: "x", Remove: fields(twilioacct.FieldTenant), Rev: 7},
		"an API key set, and gone":  {SID: sid(1), APIKeys: key("voice", good), Remove: fields(twilioacct.APIKeyField("voice")), Rev: 7},
		"a good field beside a bad": {SID: sid(1), Status: "closed", APIKeys: key("A", good), Rev: 7},
	} {
		_, err := store.Save(t.Context(), r)
		wantError(t, "Save of "+name, err, twilioacct.ErrInvalid)
	}
	wantRecord(t, "the record after all that", load(t, store, sid(1)), full())
}

// odd are strings that a careless Store trips over.
func odd() []string {
	return []string{
		"Müller & Söhne 東京 🚀", `"quoted" 'twice' \ back`, "a.b.c", "$set", "$", ".", "{$ne: null}", "with\x00NUL", "line\nbreak\r\ttab",
		" ", " leading and trailing ", "null", "0", "-1", "true", "<xml/>", "%s%d", "../..", "\u202eright to left", "\u00e9 is not e\u0301",
		strings.Repeat("long ", 2048), "active\u0000",
	}
}

func (s suite) oddStrings(t *testing.T) {
	store := s.new(t, bare())
	r := bare()
	for _, text := range odd() {
		r.AuthToken, r.Status, r.Tenant = secret(text), twilioacct.Status(text), text
		r.APIKeys = map[string]twilioacct.APIKey{"voice": {SID: keySID(1), Secret: secret(text)}}
		saved := save(t, store, r)
		r.Rev = saved.Rev
		wantRecord(t, "what Save returned", saved, r)
		wantRecord(t, "what Load returned", load(t, store, sid(1)), r)
	}
}

func (s suite) oddPurposes(t *testing.T) {
	store := s.new(t, bare())
	r := bare()
	for i, purpose := range []string{"0", "7", "0123", "-", "_", "__proto__", "constructor", "_id", "sid", strings.Repeat("a", 32)} {
		key := twilioacct.APIKey{SID: keySID(i), Secret: secret(purpose)}
		saved := save(t, store, twilioacct.Record{SID: sid(1), Rev: r.Rev, APIKeys: map[string]twilioacct.APIKey{purpose: key}})
		if !saved.APIKeys[purpose].Equal(key) {
			t.Errorf("the key for %q is not what was saved", purpose)
		}
		r = load(t, store, sid(1))
		wantRecord(t, "what Load returned", r, saved)
		if len(r.APIKeys) != i+1 {
			t.Errorf("after %q there are %d keys, want %d", purpose, len(r.APIKeys), i+1)
		}
	}
	remove := twilioacct.Record{SID: sid(1), Rev: r.Rev, Remove: fields(twilioacct.APIKeyField("0"), twilioacct.APIKeyField("_id"))}
	if saved := save(t, store, remove); len(saved.APIKeys) != len(r.APIKeys)-2 {
		t.Errorf("there are %d keys, want %d", len(saved.APIKeys), len(r.APIKeys)-2)
	}
}

func (s suite) sharesNothing(t *testing.T) {
	seed := full()
	store := s.new(t, seed)
	spoil := func(r twilioacct.Record) {
		r.APIKeys["voice"] = twilioacct.APIKey{SID: keySID(9), Secret: secret("spoilt")}
		delete(r.APIKeys, "chat")
	}
	spoil(seed)
	spoil(load(t, store, sid(1)))
	wantRecord(t, "the record, after what Load returned was changed", load(t, store, sid(1)), full())

	change := full()
	change.Status = twilioacct.StatusSuspended
	saved := save(t, store, change)
	want := full()
	want.Status, want.Rev = twilioacct.StatusSuspended, saved.Rev
	spoil(change)
	spoil(saved)
	wantRecord(t, "the record, after what Save was given and returned was changed", load(t, store, sid(1)), want)

	// A record without keys must not adopt the map of the first ones.
	store = s.new(t, bare())
	first := full()
	first.Rev = bare().Rev
	saved = save(t, store, first)
	want = full()
	want.Rev = saved.Rev
	spoil(first)
	spoil(saved)
	wantRecord(t, "the record, after the first keys that Save was given were changed", load(t, store, sid(1)), want)
}

func (s suite) accountsAreApart(t *testing.T) {
	other := full()
	other.SID, other.Tenant = sid(2), "other"
	store := s.new(t, full(), other)
	save(t, store, twilioacct.Record{SID: sid(1), Rev: 7, Status: twilioacct.StatusClosed, Remove: fields(twilioacct.FieldAuthToken)})
	wantRecord(t, "the other record", load(t, store, sid(2)), other)
}

func (s suite) sidsAreExact(t *testing.T) {
	lower := twilioacct.Record{SID: "AC" + strings.Repeat("a", 32), Status: "lower"}
	upper := twilioacct.Record{SID: "AC" + strings.Repeat("A", 32), Status: "upper"}
	store := s.new(t, lower)
	_, err := store.Load(t.Context(), upper.SID)
	wantError(t, "Load", err, twilioacct.ErrNoRecord)
	refuses(t, store, upper, twilioacct.ErrNoRecord)
}
