package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tab is a tab of the browser that shows a program's page. Whatever goes wrong in it fails its test: an error in the console, a
// violation of the page's policy, a request that fails or that goes to another host.
type tab struct {
	*testing.T
	ctx     context.Context
	address *url.URL
	complaints
}

// complaints are what the browser does not like.
type complaints struct {
	host string

	mu       sync.Mutex
	list     []string
	forgives bool
}

func (c *complaints) add(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.forgives {
		c.list = append(c.list, fmt.Sprintf(format, args...))
	}
}

func (c *complaints) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.list)
}

// forgive forgets them, and those to come, where a test has provoked them.
func (c *complaints) forgive() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list, c.forgives = nil, true
}

// hear is called with each event of the tab.
func (c *complaints) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		c.add("console.%s", e.Type)
	case *runtime.EventExceptionThrown:
		c.add("exception: %s", e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		c.add("log, %s: %s", e.Entry.Level, e.Entry.Text)
	case *audits.EventIssueAdded:
		details, _ := json.Marshal(e.Issue.Details)
		c.add("issue: %s %s", e.Issue.Code, details)
	case *network.EventRequestWillBeSent:
		if target, err := url.Parse(e.Request.URL); err != nil || target.Host != c.host {
			c.add("a request to %s", e.Request.URL)
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			c.add("HTTP %d: %s", e.Response.Status, e.Response.URL)
		}
	case *network.EventLoadingFailed:
		c.add("a request failed: %s %s", e.ErrorText, e.BlockedReason)
	case *page.EventJavascriptDialogOpening:
		c.add("a dialog: %s", e.Message)
	}
}

// How wide windows are.
const (
	phone   = 390
	tablet  = 820
	desktop = 1280
)

// longest is how long a test of a tab may take, on a busy machine.
const longest = 2 * time.Minute

// open starts a dashboard and opens it in a tab of that width.
func open(t *testing.T, width int64) *tab {
	t.Helper()
	b := tabFor(t, width, "dashboard")
	b.visit("/")
	return b
}

// tabFor starts a program with a page, which an empty tab of that width is for.
func tabFor(t *testing.T, width int64, program string, args ...string) *tab {
	t.Helper()
	if window == nil {
		t.Skip("skipped, for there is no browser here: none of " + strings.Join(browsers, ", ") + " is in PATH")
	}
	b := &tab{T: t, address: start(t, program, args...)}
	b.host = b.address.Host
	limited, cancel := context.WithTimeout(window, longest)
	t.Cleanup(cancel)
	opened, closeTab := chromedp.NewContext(limited, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.hear))
	b.ctx = opened
	t.Cleanup(closeTab)
	t.Cleanup(func() { assert.Empty(t, b.all(), "what the browser complained about") })

	b.resize(width)
	call(b, log.Enable, cdp.Empty{})
	call(b, audits.Enable, cdp.Empty{})
	call(b, network.Enable, network.EnableParams{})
	return b
}

func (b *tab) resize(width int64) {
	b.Helper()
	b.do(chromedp.EmulateViewport(width, 900, asPhoneIf(width < tablet)))
}

// asPhoneIf lays the page out as phones do, which make it wider where something sticks out of it.
func asPhoneIf(yes bool) chromedp.EmulateViewportOption {
	if yes {
		return chromedp.EmulateMobile
	}
	return func(*emulation.SetDeviceMetricsOverrideParams, *emulation.SetTouchEmulationEnabledParams) {}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	require.NoError(b, chromedp.Do(b.ctx, steps...))
}

func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.Helper()
	result, err := chromedp.Call(b.ctx, command, params)
	require.NoError(b, err)
	return result
}

// get evaluates JavaScript as the developer tools do, whatever the page's policy allows the page.
func get[V any](b *tab, javaScript string, options ...chromedp.EvaluateOption) V {
	b.Helper()
	value, err := chromedp.Run(b.ctx, chromedp.Evaluate[V](javaScript, options...))
	require.NoError(b, err, javaScript)
	return value
}

// visit opens a page of the program.
func (b *tab) visit(path string) {
	b.Helper()
	b.andArrive(chromedp.Navigate(b.address.String() + strings.TrimPrefix(path, "/")))
}

// andArrive does what leads to another page, and waits for that.
func (b *tab) andArrive(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	response, err := chromedp.RunResponse(b.ctx, steps...)
	require.NoError(b, err)
	require.EqualValues(b, 200, response.Status)
}

// await waits until a condition in JavaScript is true.
func (b *tab) await(condition string) {
	b.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Poll[bool](condition, chromedp.WithPollingInterval(50*time.Millisecond)))
	require.NoError(b, err, condition)
}

// tick is how much time passes at once.
const tick = 250 * time.Millisecond

// passUntil lets time pass until a condition in JavaScript is true: the page's clocks go from one timer to the next at once, and stand
// still while it waits for an answer. Afterwards they stand still, until it is called again.
func (b *tab) passUntil(condition string) {
	b.Helper()
	for range longest / tick {
		if get[bool](b, condition) {
			return
		}
		b.pass(tick)
	}
	require.Fail(b, "it does not come true", condition)
}

// pass returns when that much time has passed for the page.
func (b *tab) pass(time time.Duration) {
	b.Helper()
	ctx, stop := context.WithCancel(b.ctx)
	defer stop()
	passed := make(chan struct{})
	require.NoError(b, chromedp.Listen(ctx, func(event any) {
		if _, is := event.(*emulation.EventVirtualTimeBudgetExpired); is {
			close(passed)
		}
	}))
	call(b, emulation.SetVirtualTimePolicy, emulation.SetVirtualTimePolicyParams{
		Policy: emulation.VirtualTimePolicyPauseIfNetworkFetchesPending,
		Budget: new(float64(time.Milliseconds())),
	})
	select {
	case <-passed:
	case <-ctx.Done():
		require.NoError(b, ctx.Err())
	}
}

// click clicks what leads to another page.
func (b *tab) click(selector string) {
	b.Helper()
	b.andArrive(chromedp.Click(chromedp.CSS(selector)))
}

func (b *tab) choose(selector, value string) {
	b.Helper()
	b.do(chromedp.SetValue(chromedp.CSS(selector), value))
}

// press presses a key.
func (b *tab) press(keys string) {
	b.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// texts are what a person reads in the elements.
func (b *tab) texts(selector string) []string {
	b.Helper()
	return get[[]string](b, `[...document.querySelectorAll(`+quoted(selector)+`)].map(e => e.innerText.trim())`)
}

func (b *tab) text(selector string) string {
	b.Helper()
	texts := b.texts(selector)
	require.Len(b, texts, 1, selector)
	return texts[0]
}

func quoted(s string) string {
	text, _ := json.Marshal(s) // a string always can be
	return string(text)
}

// light sets what the person prefers: light or dark.
func (b *tab) light(scheme string) {
	b.Helper()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
}

// picture saves what the tab shows, all of the page, in the folder SCREENSHOTS. Without it, nobody would look at it.
func (b *tab) picture(name string) {
	b.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	image, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	require.NoError(b, err)
	require.NotEmpty(b, image)
	require.NoError(b, os.WriteFile(filepath.Join(folder, name+".png"), image, 0o600))
}
