package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct/twiliotest"
)

// typed gives errors a type, as a call does.
type typed struct{}

type failure struct{ error }

func (typed) Typed(err error) error           { return failure{err} }
func (typed) Unexpected(mistake string) error { return failure{fmt.Errorf("%s", mistake)} }

// realPage is a page as Twilio writes it: of the parent, and of subaccounts, some with these names.
func realPage(t testing.TB, subaccounts int, names ...string) []byte {
	t.Helper()
	fake := twiliotest.Start()
	defer fake.Close()
	fake.AddSubaccounts(subaccounts)
	for _, name := range names {
		fake.AddSubaccount(name)
	}
	request, err := http.NewRequest(http.MethodGet, "https://api.twilio.com/2010-04-01/Accounts.json?PageSize=1000", http.NoBody)
	require.NoError(t, err)
	request.SetBasicAuth(fake.Parent().SID, fake.Parent().AuthToken)
	response, err := fake.HTTPClient().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return body
}

// account is what stands in a Listed, as text.
type account struct{ sid, token, status, name, kind, object string }

func textsOf(list []Listed) []account {
	texts := make([]account, 0, len(list))
	for _, a := range list {
		texts = append(texts, account{
			string(a.SID), string(a.AuthToken), string(a.Status), string(a.FriendlyName), string(a.Type), string(a.Object),
		})
	}
	return texts
}

// byEncodingJSON is what encoding/json finds on a page. ok is false if it refuses the page, or finds no list.
func byEncodingJSON(body []byte) (accounts []account, next string, ok bool) {
	var page struct {
		Accounts []json.RawMessage `json:"accounts"`
		Next     *string           `json:"next_page_uri"`
	}
	if json.Unmarshal(body, &page) != nil || page.Accounts == nil {
		return nil, "", false
	}
	accounts = []account{}
	isOdd, isAny := false, false
	for _, object := range page.Accounts {
		var a struct {
			SID    *string `json:"sid"`
			Token  *string `json:"auth_token"`
			Status *string `json:"status"`
			Name   *string `json:"friendly_name"`
			Kind   *string `json:"type"`
		}
		err := json.Unmarshal(object, &a)
		isOdd = isOdd || err != nil
		found := account{value(a.SID), value(a.Token), value(a.Status), value(a.Name), value(a.Kind), string(object)}
		isAny = isAny || found.sid != ""
		accounts = append(accounts, found)
	}
	if isOdd && !isAny && !(len(accounts) == 1 && accounts[0].object[0] == '{') {
		return nil, "", false
	}
	return accounts, value(page.Next), true
}

// requireTheSame reads the page as encoding/json does, or lets both refuse it.
func requireTheSame(t *testing.T, page *Accounts) {
	t.Helper()
	page.Body = slices.Clip(page.Body) // so that nothing beyond its end can be looked at
	err := page.Read(typed{})
	accounts, next, ok := byEncodingJSON(page.Body)
	if !ok {
		require.ErrorAs(t, err, new(failure))
		require.Empty(t, page.List)
		require.Empty(t, page.Next)
		return
	}
	require.NoError(t, err)
	require.Equal(t, accounts, textsOf(page.List))
	require.Equal(t, next, page.Next)
}

const oddName = `acme v1.25 "quoted" 🦉`

const (
	sid1 = "AC0123456789abcdef0123456789abcdef"
	sid2 = "ACfedcba9876543210fedcba9876543210"
	ones = "1111111111111111111111111111111111"
)

// listOf is a page with these accounts.
func listOf(accounts ...string) string { return `{"accounts":[` + strings.Join(accounts, ",") + `]}` }

// quick are pages that need no help of encoding/json's.
var quick = map[string]string{
	"no accounts":       `{"accounts":[]}`,
	"white space":       " {\r\n\t\"accounts\" : [ { \"sid\" : \"AC1\" , \"status\" : null } , { } ] , \"end\" : 1 } \n",
	"no field":          listOf(`{}`, `{}`),
	"null":              listOf(`{"sid":null,"auth_token":null,"status":null,"friendly_name":null,"type":null}`),
	"null and a field":  listOf(`{"sid":null,"sid":"AC1"}`),
	"empty texts":       listOf(`{"sid":"","auth_token":"","status":"","friendly_name":"","type":""}`),
	"escapes":           listOf(`{"friendly_name":"\u00e9\uD83E\uDD89\/\"\\\b\f\n\r\t","sid":"\u0041C1"}`),
	"half a surrogate":  listOf(`{"friendly_name":"\ud83e","sid":"\udd89x"}`),
	"UTF-8":             listOf(`{"friendly_name":"é🦉` + "\u2028\x7f" + `"}`),
	"bytes of no text":  listOf(`{"friendly_name":"` + "\xff\xc3(\xed\xa0\x80" + `"}`),
	"what is skipped":   listOf(`{"a":[{"b":[[],{},[1,"x"]]}],"c":-1.5e+3,"d":true,"e":false,"f":null,"g":"\u0000\\","h":"` + "\xff" + `"}`),
	"a next page":       `{"accounts":[],"next_page_uri":"\/2010-04-01\/Accounts.json?Page=1&PageToken=PA1"}`,
	"the last page":     `{"next_page_uri":null,"accounts":[]}`,
	"an odd key":        listOf(`{"":1,"x-y z":2}`),
	"a name at the end": listOf(`{"subresource_uris":{"a":"b"},"sid":"` + sid1 + `"}`),
	"other resources":   listOf(`{"sid":"`+sid1+`","subresource_uris":{"a":"/`+sid1+`/a"}}`, `{"sid":"`+sid2+`","subresource_uris":{"b":[]}}`),
}

func TestAPageLikeTwiliosIsReadWithoutHelp(t *testing.T) {
	t.Parallel()
	pages := map[string][]byte{"a real one": realPage(t, 20, oddName)}
	for name, body := range quick {
		pages[name] = []byte(body)
	}
	for name, body := range pages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := Accounts{Body: body}
			requireTheSame(t, &page)
			assert.True(t, page.readPlain())
		})
	}
}

// slow are pages that only encoding/json can judge: it takes some, and refuses others.
var slow = map[string]string{
	"nothing":                        ``,
	"null":                           `null`,
	"a list":                         `[]`,
	"a text":                         `"accounts"`,
	"no list":                        `{}`,
	"a list that is null":            `{"accounts":null}`,
	"a list that is none":            `{"accounts":{}}`,
	"an account that is null":        listOf(`null`, `{"sid":"AC1"}`),
	"an account that is none":        listOf(`"AC1"`),
	"a list in the list":             listOf(`[]`),
	"two lists":                      `{"accounts":[{"sid":"AC1","status":"active"},{}],"accounts":[{"sid":"AC2"}]}`,
	"a list and null":                `{"accounts":[{"sid":"AC1"}],"accounts":null}`,
	"a field twice":                  listOf(`{"sid":"AC1","sid":"AC2"}`),
	"a field and null":               listOf(`{"sid":"AC1","sid":null}`),
	"two next pages":                 `{"accounts":[],"next_page_uri":"a","next_page_uri":null}`,
	"capitals":                       `{"ACCOUNTS":[{"SID":"AC1","Auth_Token":"x"}],"Next_Page_URI":"a"}`,
	"letters that fold":              listOf(`{"ſid":"AC1","` + "auth_to\u212aen" + `":"x"}`),
	"a name with an escape":          listOf(`{"\u0073id":"AC1"}`),
	"a number for a text":            listOf(`{"sid":1}`),
	"one odd account of three":       listOf(`{"sid":"AC1","status":"active"}`, `{"sid":"AC2","status":1}`, `{"sid":"AC3"}`),
	"an object for a text":           listOf(`{"sid":{}}`),
	"a list for a text":              listOf(`{"sid":[]}`),
	"true for a text":                listOf(`{"sid":true}`),
	"a number for the next page":     `{"accounts":[],"next_page_uri":1}`,
	"something behind it":            listOf() + `x`,
	"a second page behind it":        listOf() + listOf(),
	"zero behind it":                 listOf() + "\x00",
	"a byte order mark":              "\ufeff" + listOf(),
	"a space that is none":           listOf("\u00a0"),
	"a comma too many in the list":   `{"accounts":[{},]}`,
	"a comma too many in an object":  listOf(`{"a":1,}`),
	"a comma too few":                `{"accounts":[{}{}]}`,
	"a colon too few":                listOf(`{"sid" "AC1"}`),
	"a name without quotes":          listOf(`{sid:"AC1"}`),
	"a name alone":                   listOf(`{"sid"}`),
	"a value too few":                listOf(`{"sid":}`),
	"another end":                    listOf(`{"a":[1}}`),
	"a control character":            listOf(`{"friendly_name":"a` + "\n" + `"}`),
	"a control character, skipped":   listOf(`{"a":"b` + "\x1f" + `"}`),
	"a control character in an URI":  listOf(`{"subresource_uris":{"a":"12345678` + "\x00" + `"}}`),
	"a bad escape":                   listOf(`{"friendly_name":"\x"}`),
	"a bad escape, skipped":          listOf(`{"a":"\x"}`),
	"half an escape":                 listOf(`{"friendly_name":"\u00e"}`),
	"half an escape, skipped":        listOf(`{"a":"\u00e"}`),
	"a quote that is escaped":        `{"accounts":["\"`,
	"a backslash at the end":         `{"accounts":["\`,
	"a leading zero":                 listOf(`{"a":01}`),
	"a plus":                         listOf(`{"a":+1}`),
	"a minus alone":                  listOf(`{"a":-}`),
	"a point without digits":         listOf(`{"a":1.}`),
	"an exponent without digits":     listOf(`{"a":1e}`),
	"a literal in capitals":          listOf(`{"a":TRUE}`),
	"a literal that goes on":         listOf(`{"a":nullx}`),
	"half a literal":                 listOf(`{"sid":nul}`),
	"two values":                     listOf(`{"a":1 2}`),
	"nested beyond what is skipped":  listOf(`{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`),
	"nested beyond what is allowed":  listOf(`{"a":` + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001) + `}`),
	"objects beyond what is skipped": listOf(`{"a":` + strings.Repeat(`{"":`, 200) + `1` + strings.Repeat("}", 200) + `}`),
	"a quote in place of the SID": listOf(
		likeThis(sid1, `{"a":"`+sid1+`"}`),
		likeThis(`\"`+sid2[1:], `{"a":""`+sid2[1:]+`"}`)),
	"a longer SID": listOf(
		likeThis(sid1, `{"a":"`+sid1+`"}`),
		likeThis(sid2+"0", `{"a":"`+sid2+`0}`)),
	"a SID in place of a number": listOf(
		likeThis(ones, `{"a":`+ones+`}`),
		likeThis(sid1, `{"a":`+sid1+`}`)),
	"no digits in place of an escape's": listOf(
		likeThis(sid1, `{"a":"\u00`+sid1+`"}`),
		likeThis("zz"+sid1[2:], `{"a":"\u00zz`+sid1[2:]+`"}`)),
	"a value that ends later": listOf(
		likeThis(sid1, `1`),
		likeThis(sid2, `1x`)),
}

func likeThis(sid, uris string) string {
	return `{"sid":"` + sid + `","subresource_uris":` + uris + `}`
}

func TestWhatIsUnusualIsLeftToEncodingJSON(t *testing.T) {
	t.Parallel()
	for name, body := range slow {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := Accounts{Body: []byte(body)}
			assert.False(t, page.readPlain())
			requireTheSame(t, &page)
		})
	}
}

// Each byte of a page may be missing, or be another one.
func TestAPageThatIsSpoiledAnywhereIsJudgedAsByEncodingJSON(t *testing.T) {
	t.Parallel()
	body := []byte(`{"accounts":[` +
		likeThis(sid1, `{"calls":"/`+sid1+`/c","x":"\n"}`) + `,` + likeThis(sid2, `{"calls":"/`+sid2+`/c"}`) + `,` +
		likeThis(sid1, `{"calls":"/`+sid1+`/c"}`) + `],"end":-10.2e5,"next_page_uri":"/a?Page=1"}`)
	var page Accounts
	for i := range body {
		page.Body = body[:i]
		requireTheSame(t, &page)
		for _, c := range []byte("\x00 \"\\{}[],:0aAn\x80") {
			page.Body = bytes.Clone(body)
			page.Body[i] = c
			requireTheSame(t, &page)
		}
	}
}

func TestAValueThatDiffersByTheSIDAloneIsKnownAgain(t *testing.T) {
	t.Parallel()
	of := func(sid, other string) []byte { return fmt.Appendf(nil, `{"a":"/%s/a","b":["%s"]}`, sid, other) }
	var known likeness
	known.learn(of(sid1, sid1), []byte(sid1))
	assert.True(t, known.of(append(of(sid2, sid2), `,"type"`...), []byte(sid2)))
	assert.True(t, known.of(of(sid1, sid1), []byte(sid1)))
	assert.False(t, known.of(of(sid1, sid2), []byte(sid1)))
	assert.False(t, known.of(of(sid2, sid2), []byte(sid1)))

	page := Accounts{Body: realPage(t, 2)}
	require.NoError(t, page.Read(typed{}))
	assert.Len(t, page.uris.sids, 20, "what a page has learnt from the last of its accounts")
}

func TestAPageCanBeUsedAgain(t *testing.T) {
	t.Parallel()
	var page Accounts
	for _, body := range [][]byte{realPage(t, 3, oddName), []byte(`{`), realPage(t, 2), []byte(`{"accounts":[null]}`), realPage(t, 1)} {
		page.Body = body
		requireTheSame(t, &page)
	}
}

func TestAPageThatIsUsedAgainTakesNoMemoryForItsAccounts(t *testing.T) {
	page := Accounts{Body: realPage(t, 100)}
	allocs := testing.AllocsPerRun(10, func() { require.NoError(t, page.Read(typed{})) })
	assert.Less(t, allocs, 10.0, "none for an account, and for the page those of encoding/json's pool")
	assert.Len(t, page.List, 101)
}

func TestTheNextPageIsKnownBeforeAPageIsRead(t *testing.T) {
	t.Parallel()
	const next = `"next_page_uri":"\/2010-04-01\/Accounts.json?PageSize=2\u0026Page=1&PageToken=PAAC1"`
	at := Cursor{Token: "PAAC1", Number: "1"}
	long := `"x":"` + strings.Repeat("y", 3000) + `"`
	for body, isKnown := range map[string]bool{
		`{"accounts":[],` + next + `,"page":0}`:                  true,
		`{"accounts":[],` + long + `,` + next + `}`:              true,
		`{` + next + `,"accounts":[],` + long + `}`:              true,
		`{` + long + `,` + next + `,"accounts":[],` + long + `}`: false,
		`{"accounts":[],"next_page_uri":null}`:                   false,
		`{"accounts":[],"next_page_uri":""}`:                     false,
		`{"accounts":[],"next_page_uri":7}`:                      false,
		`{"accounts":[],"next_page_uri":"/x"}`:                   false,
		`{"accounts":[],"next_page_uri"`:                         false,
		`{"accounts":[],"next_page_uri":"?Page=1\`:               false,
		`{}`: false,
		``:   false,
	} {
		page := Accounts{Body: []byte(body)}
		ahead, ok := page.Ahead()
		require.Equal(t, isKnown, ok, "%.100s", body)
		if ok {
			assert.Equal(t, at, ahead)
		}
		if page.Read(typed{}) == nil && page.Next != "" && ok {
			var walk Walk
			_, err := walk.Follow(typed{}, page.Next)
			require.NoError(t, err)
			assert.Equal(t, ahead, walk.At)
		}
	}
}

// Whatever stands in a page, its accounts are those that encoding/json finds.
func FuzzAPageOfAccountsIsWhatEncodingJSONFinds(f *testing.F) {
	for _, pages := range []map[string]string{quick, slow} {
		for _, body := range pages {
			f.Add([]byte(body))
		}
	}
	f.Add(realPage(f, 2, oddName))
	before := []byte(listOf(likeThis(sid1, `{"a":"/`+sid1+`/b"}`)))
	f.Fuzz(func(t *testing.T, body []byte) {
		var page Accounts
		for _, page.Body = range [][]byte{body, before, body} {
			page.Ahead() // does not panic
			requireTheSame(t, &page)
		}
	})
}

func BenchmarkAPageOfAThousandAccounts(b *testing.B) {
	body := realPage(b, 1000)
	b.Run("like those before", func(b *testing.B) { benchmark(b, body) })
	b.Run("of odd SIDs", func(b *testing.B) { benchmark(b, bytes.ReplaceAll(body, []byte(`"sid":"AC`), []byte(`"sid":"ac`))) })
	b.Run("for encoding/json", func(b *testing.B) { benchmark(b, bytes.ReplaceAll(body, []byte(`"sid"`), []byte(`"SID"`))) })
}

func benchmark(b *testing.B, body []byte) {
	page := Accounts{Body: body}
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := page.Read(typed{}); err != nil || len(page.List) != 1000 {
			b.Fatal(len(page.List), err)
		}
	}
}
