package browser

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is where on the page of the program voice.
const (
	left    = "#left"
	problem = "#problem"
	lines   = "#log li"
)

// lifetime is short, so that a test sees several tokens come.
const lifetime = 4 * time.Second

// received is a token as the page got it, and when, by a clock that nobody sets.
type received struct {
	At    float64 // in seconds
	Token string
}

// eavesdrop lets the test see what the page gets, and refuse it. Nothing of it is the page's.
const eavesdrop = `
	window.received = [];
	window.asked = []; // when
	window.refuses = 0; // with that status
	const ask = window.fetch;
	window.fetch = async (...how) => {
		window.asked.push(performance.now() / 1000);
		if (window.refuses) return new Response('', {status: window.refuses});
		const answer = await ask(...how);
		const {token} = await answer.clone().json();
		window.received.push({At: performance.now() / 1000, Token: token});
		return answer;
	};`

// talk opens the page of the program voice with tokens of that lifetime, after that script has run in it.
func talk(t *testing.T, width int64, lifetime time.Duration, before string) *tab {
	t.Helper()
	b := tabFor(t, width, "voice", "-ttl", lifetime.String())
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: eavesdrop + before})
	b.visit("/")
	return b
}

// tokens waits for that many, and returns all that came so far.
func (b *tab) tokens(n int) []received {
	b.Helper()
	b.await(areShown(n))
	return get[[]received](b, `received`)
}

// tokensInTime lets time pass until there are that many, and returns all that came so far.
func (b *tab) tokensInTime(n int) []received {
	b.Helper()
	b.tokens(1)
	b.passUntil(areShown(n))
	return get[[]received](b, `received`)
}

func areShown(n int) string {
	return fmt.Sprintf(`received.length >= %d && document.querySelectorAll('%s').length >= %[1]d`, n, lines)
}

// eachInTime asserts that each token of that lifetime came before the one before it ended.
func eachInTime(t *testing.T, all []received) {
	t.Helper()
	for i := range all[1:] {
		pause := all[i+1].At - all[i].At
		assert.Less(t, pause, lifetime.Seconds(), "the one before was still good")
		assert.Greater(t, pause, 1.5, "nobody is asked all the time")
	}
}

// claims are what a token says.
type claims struct {
	ID        string `json:"jti"`
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp"`
	Grants    struct {
		Identity string `json:"identity"`
	} `json:"grants"`
}

func (r received) claims(t *testing.T) claims {
	t.Helper()
	parts := strings.Split(r.Token, ".")
	require.Len(t, parts, 3)
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var c claims
	require.NoError(t, json.Unmarshal(payload, &c))
	return c
}

func TestATokenIsRenewedBeforeItEndsAgainAndAgain(t *testing.T) {
	t.Parallel()
	b := talk(t, desktop, lifetime, "")

	all := b.tokensInTime(4)

	assert.Regexp(t, `^3 times$`, b.text("#renewed"))
	ids := map[string]bool{}
	for _, r := range all {
		c := r.claims(t)
		ids[c.ID] = true
		assert.Equal(t, "alice", c.Grants.Identity)
		assert.Equal(t, lifetime, time.Duration(c.ExpiresAt-c.IssuedAt)*time.Second)
	}
	eachInTime(t, all)
	assert.Len(t, ids, len(all), "no two tokens are the same")
	assert.Regexp(t, `^0:0[0-3]$`, b.text(left))
	assert.Regexp(t, `^Token 1 is good until \d\d:\d\d:\d\d UTC\.$`, b.texts(lines)[0])
	assert.Equal(t, "alice", b.text("#identity"))
	assert.False(t, b.isShown(problem))
}

func (b *tab) isShown(selector string) bool {
	b.Helper()
	return get[bool](b, `document.querySelector(`+quoted(selector)+`).checkVisibility()`)
}

func TestNoTokenIsShownOrKept(t *testing.T) {
	t.Parallel()
	b := talk(t, phone, lifetime, "")

	all := b.tokens(2) // in a person's time

	eachInTime(t, all)
	for _, r := range all {
		assert.NotContains(t, get[string](b, `document.documentElement.outerHTML`), r.Token)
	}

	assert.Zero(t, get[int](b, `localStorage.length + sessionStorage.length`))
}

func TestAClockThatIsWrongDoesNoHarm(t *testing.T) {
	t.Parallel()
	for name, clock := range map[string]string{
		"an hour late":  `const real = Date.now; Date.now = () => real() - 3600e3;`,
		"an hour early": `const real = Date.now; Date.now = () => real() + 3600e3;`,
		"set back":      `const real = Date.now; Date.now = () => real() - (received.length && 3600e3);`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := talk(t, desktop, lifetime, clock)

			eachInTime(t, b.tokensInTime(3))

			assert.Regexp(t, `^0:0[0-3]$`, b.text(left))
		})
	}
}

func TestAMachineThatSleptAsksAtOnce(t *testing.T) {
	t.Parallel()
	b := talk(t, desktop, time.Hour, `const real = Date.now; window.slept = 0; Date.now = () => real() + slept;`)
	b.tokens(1)
	assert.Regexp(t, `^59:\d\d$`, b.text(left))

	get[int](b, `window.slept = 3000e3`) // the other clock stood still meanwhile

	b.tokens(2)
}

func TestARefusalIsSaidAndTriedAgainLessAndLessOften(t *testing.T) {
	t.Parallel()
	b := talk(t, desktop, lifetime, `refuses = 503;`)

	b.passUntil(`asked.length >= 3`)

	asked := get[[]float64](b, `asked`)
	assert.GreaterOrEqual(t, asked[1]-asked[0], 1.0)
	assert.GreaterOrEqual(t, asked[2]-asked[1], 2.0)
	assert.True(t, b.isShown(problem))
	assert.Regexp(t, `^No new token \(status 503\)\. It is tried again in [4-8] s\.$`, b.text(problem))
	b.picture("voice-refused")

	get[int](b, `window.refuses = 0`)
	b.passUntil(areShown(1))
	assert.False(t, b.isShown(problem))
	assert.Equal(t, "0 times", b.text("#renewed"))
}

func TestATokenThatCannotBeRenewedIsSaidToHaveNoTimeLeft(t *testing.T) {
	t.Parallel()
	b := talk(t, desktop, 2*time.Second, "")
	b.tokens(1)

	get[int](b, `window.refuses = 403`)

	b.passUntil(`document.querySelector('` + left + `').textContent === 'none' && asked.length > 1`)
	assert.True(t, b.isShown(problem))
	assert.Contains(t, b.text(problem), "No new token (status 403).")
}

func TestAPersonAndAScreenReaderAreToldHowTheTokenIs(t *testing.T) {
	t.Parallel()
	for _, width := range []int64{320, phone, desktop} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			b := talk(t, width, 10*time.Minute, "")
			b.tokens(1)
			for _, scheme := range []string{"light", "dark"} {
				b.light(scheme)
				assert.LessOrEqual(t, get[int64](b, `document.documentElement.scrollWidth`), width, "nothing sticks out")
				assert.Empty(t, get[[]string](b, faint), "%s: these texts are hard to read", scheme)
				b.picture(fmt.Sprintf("voice-%d-%s", width, scheme))
			}
			nodes := b.tree()
			for _, part := range []func(node) bool{role("main"), named("timer", "Time left"), named("log", "Tokens"), named("region", "Tokens")} {
				assert.Equal(t, 1, count(nodes, part))
			}
			assert.Equal(t, 1, count(nodes, func(n node) bool { return n.role == "heading" && n.properties["level"] == "1" }))
			assert.Regexp(t, `^9:\d\d$`, b.text(left))
		})
	}
}

func TestThePolicyOfThePageIsStrict(t *testing.T) {
	t.Parallel()
	b := talk(t, desktop, lifetime, "")
	b.tokens(1)
	assert.Equal(t, []string{"/page.js"}, get[[]string](b, `[...document.scripts].map(s => new URL(s.src).pathname)`))
	require.Empty(t, b.all())

	get[bool](b, `document.body.insertAdjacentHTML('beforeend', '<p id="odd" style="color: red" onclick="ran = 1">odd</p>') || true`)
	get[bool](b, `document.body.append(Object.assign(document.createElement('script'), {textContent: 'ran = 2'})) || true`)
	get[bool](b, `document.querySelector('#odd').click() || true`)
	refused := get[bool](b, `fetch('data:,{}').then(() => false, () => true)`, chromedp.EvalAwaitPromise)

	assert.True(t, refused, "nobody else is asked")
	assert.True(t, get[bool](b, `typeof ran === 'undefined'`), "no script but the page's own runs")
	assert.NotEqual(t, "rgb(255, 0, 0)", get[string](b, `getComputedStyle(document.querySelector('#odd')).color`))
	b.forgive() // the browser complains of all four
}
