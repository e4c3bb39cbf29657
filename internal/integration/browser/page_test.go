package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What is where on the page.
const (
	rows       = "tbody tr"
	names      = "tbody .name"
	statuses   = "tbody .status"
	types      = "tbody .type"
	rangeShown = "[role=status]"
)

func TestThePageFitsAnyWindowAndCanBeReadInLightAndInDark(t *testing.T) {
	t.Parallel()
	b := open(t, desktop)
	b.waitForChanges()
	for _, width := range []int64{320, phone, tablet, desktop} {
		b.resize(width)
		b.visit("/")
		for _, scheme := range []string{"light", "dark"} {
			b.light(scheme)
			assert.LessOrEqual(t, get[int64](b, `document.documentElement.scrollWidth`), width, "nothing sticks out")
			assert.Empty(t, get[[]string](b, faint), "%s, %d wide: these texts are hard to read", scheme, width)
			b.picture(fmt.Sprintf("dashboard-%d-%s", width, scheme))
		}
		assert.NotEqual(t, b.backgroundIn("light"), b.backgroundIn("dark"))
	}
}

// waitForChanges renews the figures until there are changes. The program renews them every two seconds at most, and is not asked before.
func (b *tab) waitForChanges() {
	b.Helper()
	b.await(`Date.now() - Date.parse(document.querySelector('time').dateTime) > 2000`)
	for len(b.texts(".changes li")) == 0 {
		b.click("header button")
	}
}

func (b *tab) backgroundIn(scheme string) string {
	b.Helper()
	b.light(scheme)
	return get[string](b, `getComputedStyle(document.body).backgroundColor`)
}

// faint lists the texts that have less contrast to what is behind them than the accessibility guidelines (WCAG 2.2, AA) ask for.
const faint = `(() => {
	const channels = color => color.match(/[\d.]+/g).map(Number);
	const luminance = ([r, g, b]) => [r, g, b].map(c => c / 255)
		.map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
		.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = e => {
		for (; e; e = e.parentElement) {
			const back = channels(getComputedStyle(e).backgroundColor);
			if (back.length < 4 || back[3] === 1) return back;
		}
		return [255, 255, 255];
	};
	return [...document.querySelectorAll('body *')]
		.filter(e => [...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.textContent.trim()) || e.matches('input, select'))
		.filter(e => e.getClientRects().length > 0)
		.flatMap(e => {
			const style = getComputedStyle(e), size = parseFloat(style.fontSize);
			const [dark, light] = [luminance(channels(style.color)), luminance(behind(e))].sort((a, b) => a - b);
			const contrast = (light + 0.05) / (dark + 0.05);
			const enough = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
			return contrast < enough ? [contrast.toFixed(2) + ': ' + (e.innerText || e.tagName)] : [];
		});
})()`

func TestSomebodyFiltersSortsAndPages(t *testing.T) {
	t.Parallel()
	for _, width := range []int64{phone, desktop} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			t.Parallel()
			b := open(t, width)
			assert.Len(t, b.texts(rows), 50)
			assert.Equal(t, "Showing 1 to 50 of 5,000 documents", b.text(rangeShown))

			b.do(chromedp.SendKeys(chromedp.CSS("#q"), "sailing"))
			b.click(".filter button")
			assert.Equal(t, "Showing 1 to 50 of 72 documents", b.text(rangeShown))
			for _, name := range b.texts(names) {
				assert.Contains(t, name, "Sailing")
			}
			assert.Equal(t, "sailing", get[string](b, `document.querySelector('#q').value`), "what was typed stays there")

			b.click("a[rel=next]")
			assert.Equal(t, "Showing 51 to 72 of 72 documents", b.text(rangeShown))
			assert.Empty(t, b.texts("a[rel=next]"))

			b.choose("#type", "Trial")
			b.click(".filter button")
			assert.NotEmpty(t, b.texts(rows), "another filter begins on its first page")
			assert.Equal(t, []string{"Trial"}, slices.Compact(b.texts(types)))

			b.click("thead .name a")
			trials := b.texts(names)
			assert.Equal(t, "descending", get[string](b, `document.querySelector('thead .name').ariaSort`))
			assert.True(t, slices.IsSortedFunc(trials, func(a, b string) int { return strings.Compare(strings.ToLower(b), strings.ToLower(a)) }))

			b.click(".range a")
			assert.Equal(t, "Showing 1 to 50 of 5,000 documents", b.text(rangeShown))
			b.click("a.card.suspended")
			assert.Equal(t, []string{"suspended"}, slices.Compact(b.texts(statuses)))
			assert.Equal(t, b.text(".card.suspended strong"), fmt.Sprint(len(b.texts(rows))))
			b.picture(fmt.Sprintf("dashboard-%d-suspended", width))

			b.click("a.card.failed")
			assert.Len(t, b.texts("tbody .reason"), 5)
		})
	}
}

func TestARefreshShowsWhatChangedAndKeepsTheRows(t *testing.T) {
	t.Parallel()
	b := open(t, desktop)
	b.visit("/?q=sailing&sort=sid")
	before := b.texts(names)

	b.waitForChanges()

	assert.Contains(t, b.text(".changes li"), "suspended")
	assert.Equal(t, before, b.texts(names))
	assert.Equal(t, "?q=sailing&sort=sid", get[string](b, `location.search`))
}

// focused is what has the focus, and whether somebody sees that.
type focused struct {
	Name    string
	Visible bool
}

func (b *tab) focused() focused {
	b.Helper()
	return get[focused](b, `(() => {
		const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
		const inside = box.width > 0 && box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
		return {
			Name: (e.labels?.[0] || e).innerText.replace(/\s+/g, ' ').trim(),
			Visible: inside && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
		};
	})()`)
}

func TestItWorksByKeyboardAlone(t *testing.T) {
	t.Parallel()
	b := open(t, desktop)
	var order []string
	next := func() string {
		b.press(kb.Tab)
		f := b.focused()
		assert.True(t, f.Visible, "somebody sees that %q has the focus", f.Name)
		order = append(order, f.Name)
		return f.Name
	}
	require.Equal(t, "Skip to the accounts", next())
	b.press(kb.Enter)
	require.Equal(t, "Name, SID or document", next(), "the link skips the figures")

	b.press("falcon d")
	b.andArrive(chromedp.KeyEvent(kb.Enter))
	assert.Equal(t, []string{"Falcon Dairy", "Falcon Dental", "Falcon Design", "Falcon Diagnostics", "Falcon Diving", "Falcon Drones",
		"Falcon Dry Cleaning"}, b.texts(names))

	order = nil
	for next() != "Status" || len(order) < 15 { // the filter is called so, too
		require.Less(t, len(order), 30, order)
	}
	assert.Equal(t, []string{"Skip to the accounts", "Refresh the figures", "5,000 Documents"}, order[:3])
	assert.Equal(t, []string{"Name, SID or document", "Status", "Type", "Filter", "Show all", "Name", "Status"}, order[len(order)-7:])
	b.andArrive(chromedp.KeyEvent(kb.Enter))
	assert.Equal(t, "ascending", get[string](b, `document.querySelector('thead .status').ariaSort`))
}

func TestNamesAreShownAsTheyAre(t *testing.T) {
	t.Parallel()
	b := open(t, phone)
	for search, want := range map[string]string{
		"<script>":     `Robin Repairs <script>alert("Robin")</script>`,
		"<b>":          `Smith & Daughters <b>Bold</b> "Ideas"`,
		"ياسمين":       "مخبز الياسمين",
		"almond":       "מאפיית השקד (Almond Bakery)",
		"🦉":            "Café Athéné 🦉",
		"ÜBERWACHUNGS": "Rindfleischetikettierungsüberwachungsaufgabenübertragungs-Kontor",
	} {
		b.do(chromedp.SetValue(chromedp.CSS("#q"), search))
		b.click(".filter button")
		assert.Equal(t, []string{want}, b.texts(names), search)
		assert.LessOrEqual(t, get[int64](b, `document.documentElement.scrollWidth`), int64(phone), search)
		isHebrewOrArabic := search == "ياسمين" || search == "almond"
		assert.Equal(t, isHebrewOrArabic, get[string](b, `getComputedStyle(document.querySelector('tbody .name')).direction`) == "rtl", search)
	}
}

func TestNothingOnThePageIsAScript(t *testing.T) {
	t.Parallel()
	b := open(t, desktop)
	assert.Zero(t, get[int](b, `document.scripts.length`))
	loaded := get[[]string](b, `performance.getEntriesByType('resource').map(e => new URL(e.name).pathname).sort()`)
	assert.Equal(t, []string{"/page.css"}, slices.DeleteFunc(loaded, func(path string) bool { return path == "/icon.svg" }))
}
