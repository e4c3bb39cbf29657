package main

import (
	"bytes"
	"errors"
	"hash/maphash"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct"
)

var seed = maphash.MakeSeed()

const sid = "AC0123456789abcdef0123456789abcdef"

// tell is what a person reads of these events.
func tell(events ...twilioacct.SyncEvent) string {
	var stderr bytes.Buffer
	told := teller{w: &stderr, progress: newProgress(&stderr)}
	for _, e := range events {
		told.observe(e, false)
	}
	told.finish()
	return stderr.String()
}

func TestEachEventIsALine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		event twilioacct.SyncEvent
		line  string
	}{
		"a suspension": {
			twilioacct.SyncEvent{Kind: twilioacct.EventChanged, SID: sid, Name: "Acme\n\x1b[31m", Before: "active", After: "suspended"},
			"Alert: Twilio account " + sid + " (Acme [31m) is suspended now; it was active.\n",
		},
		"a suspension after the parent's": {
			twilioacct.SyncEvent{Kind: twilioacct.EventChanged, SID: sid, Name: "Acme", Before: "active", After: "suspended", FollowsParent: true},
			"Alert: Twilio account " + sid + " (Acme) is suspended now; it was active. The parent is suspended, too.\n",
		},
		"a first sync": {
			twilioacct.SyncEvent{Kind: twilioacct.EventChanged, SID: sid, After: "active", TokenChanged: true},
			"Twilio account " + sid + " is active now; it was never synced.\n",
		},
		"a token": {twilioacct.SyncEvent{Kind: twilioacct.EventChanged, SID: sid, Before: "active", After: "active", TokenChanged: true}, ""},
		"a failure": {
			twilioacct.SyncEvent{Kind: twilioacct.EventFailed, SID: sid, DocumentID: "65f0", Err: errors.New("broken")},
			"document 65f0: " + sid + ": other: broken.\n",
		},
		"a failure of a store whose keys are SIDs": {
			twilioacct.SyncEvent{Kind: twilioacct.EventFailed, SID: sid, DocumentID: sid, Err: errors.New("broken")},
			sid + ": other: broken.\n",
		},
		"a failure of a document whose SID is none": {
			twilioacct.SyncEvent{Kind: twilioacct.EventFailed, DocumentID: "odd8", Err: errors.New("broken")},
			"document odd8: other: broken.\n",
		},
		"a failure of something without any name": {twilioacct.SyncEvent{Kind: twilioacct.EventFailed, Err: errors.New("broken")}, "other: broken.\n"},
		"a failure of a document whose key is a number": {
			twilioacct.SyncEvent{Kind: twilioacct.EventFailed, SID: sid, DocumentID: `{"$numberLong":"7"}`, Err: errors.New("broken")},
			"document 7: " + sid + ": other: broken.\n",
		},
		"a token in the place of a SID": {
			twilioacct.SyncEvent{Kind: twilioacct.EventGone, SID: "0123456789abcdef0123456789abcdef", DocumentID: "65f0"},
			"Twilio account 0123… was closed, and Twilio has deleted it since.\n",
		},
		"a duplicate": {
			twilioacct.SyncEvent{Kind: twilioacct.EventDuplicate, SID: sid, DocumentID: "65f0"},
			"Twilio account " + sid + " is held by several documents, of which 65f0 is one; there should be one only.\n",
		},
		"a duplicate whose key is a number": {
			twilioacct.SyncEvent{Kind: twilioacct.EventDuplicate, SID: sid, DocumentID: `{"$numberInt":"8"}`},
			"Twilio account " + sid + " is held by several documents, of which 8 is one; there should be one only.\n",
		},
		"what would turn the line round": {
			twilioacct.SyncEvent{Kind: twilioacct.EventGone, SID: "\u202e", Name: "Ac\u202eme"},
			"Twilio account  (Acme) was closed, and Twilio has deleted it since.\n",
		},
		"an account without a document": {twilioacct.SyncEvent{Kind: twilioacct.EventUnknown, SID: sid}, ""},
		"the parent":                    {twilioacct.SyncEvent{Kind: twilioacct.EventParent, Err: errors.New("refused")}, ""},
	} {
		assert.Equal(t, c.line, tell(c.event), name)
	}
}

func TestOfThousandsOfEventsAPersonReadsTheFirstOnesAndTheJSONHasAll(t *testing.T) {
	t.Parallel()
	var events []twilioacct.SyncEvent
	for range 3000 {
		events = append(events,
			twilioacct.SyncEvent{Kind: twilioacct.EventFailed, SID: sid, Err: twilioacct.ErrNotFound},
			twilioacct.SyncEvent{Kind: twilioacct.EventChanged, SID: sid, Before: "active", After: "closed"},
			twilioacct.SyncEvent{Kind: twilioacct.EventGone, SID: sid})
	}
	events = append(events, twilioacct.SyncEvent{Kind: twilioacct.EventDuplicate, SID: sid})

	text := tell(events...)

	assert.Equal(t, 3*most+1+3, strings.Count(text, "\n"))
	assert.True(t, strings.HasSuffix(text, "… and 2,980 other statuses changed. All of them are in the JSON.\n"+
		"… and 2,980 other failures. All of them are in the JSON.\n"+
		"… and 2,980 other accounts are gone. All of them are in the JSON.\n"), text)
	all, none := result{keeps: true}, result{}
	for _, e := range events {
		all.observe(e)
		none.observe(e)
	}
	doc := all.document(nil)
	assert.Len(t, doc.Failed, 3000)
	assert.Len(t, doc.StatusChanges, 3000)
	assert.Len(t, doc.OrphanDocuments, 6000)
	assert.Empty(t, none.document(nil).Failed, "the text keeps nothing of them")
}

func TestTheSummarySaysWhatExplainsIt(t *testing.T) {
	t.Parallel()
	complete := twilioacct.SyncReport{Documents: 1, Listed: 2, Unchanged: 1, Requests: 1, Complete: true}
	for _, c := range []struct {
		name   string
		report func(*twilioacct.SyncReport)
		says   string
	}{
		{"nothing", func(*twilioacct.SyncReport) {}, "1 of 1 document in sync, with 1 request in 0.00 s.\n\n" +
			"          2  accounts at Twilio\n          1  document was up to date\n"},
		{"the parent", func(r *twilioacct.SyncReport) { r.ParentSuspended = true }, "The parent account is suspended, and all its subaccounts"},
		{"one by one", func(r *twilioacct.SyncReport) { r.OneByOne, r.Complete = true, false }, "The store cannot list its documents"},
		{"the list", func(r *twilioacct.SyncReport) { r.Complete = false }, "Twilio's list of accounts broke off"},
		{"made", func(r *twilioacct.SyncReport) { r.Changed, r.Made = 2, 1 }, "2  documents updated\n          1  of them was made\n"},
		{"duplicates", func(r *twilioacct.SyncReport) { r.Duplicates = 1 }, "1  SID that several documents hold\n"},
	} {
		r := result{report: complete}
		c.report(&r.report)
		assert.Contains(t, r.summary(false, false), c.says, c.name)
	}
	r := result{report: complete, took: 83 * time.Second}
	assert.Contains(t, r.summary(false, true), "The run ended before its time.\n1 of 1 document in sync, with 1 request in 1m23s.\n")
	assert.NotContains(t, r.summary(false, false), "ended before")
}

// steps are the reports of a run of 5,000 documents, a second for each thousand.
func steps(p *progress) {
	r := twilioacct.SyncReport{Documents: 5000}
	p.show(r)
	for range 5 {
		time.Sleep(1500 * time.Millisecond) // in a bubble
		r.Listed += 1000
		r.Unchanged += 990
		r.Changed += 10
		p.show(r)
	}
	p.hide()
}

func TestOnATerminalThereIsABarThatGoesAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var screen bytes.Buffer
		steps(&progress{w: &screen, terminal: true})
		frames := strings.Split(screen.String(), eraseLine)
		require.Len(t, frames, 1+5+1)
		assert.Equal(t, wrapOff+"  20 % █████░░░░░░░░░░░░░░░░░░░░░░░ 1,000 of 5,000 documents, about 6 s left"+wrapOn, frames[1])
		assert.Equal(t, wrapOff+" 100 % ████████████████████████████ 5,000 of 5,000 documents"+wrapOn, frames[5])
		assert.Empty(t, frames[6], "the line is free for others")
	})
}

func TestElsewhereThereIsALineNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var file bytes.Buffer
		steps(&progress{w: &file})
		assert.Equal(t, "4,000 of 5,000 documents, about 2 s left\n", file.String(), "five seconds apart")
	})
}

func TestAnEventIsNotWrittenIntoTheBar(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var screen bytes.Buffer
		told := teller{w: &screen, progress: &progress{w: &screen, terminal: true}}
		told.show(twilioacct.SyncReport{Documents: 10})
		time.Sleep(time.Second) // in a bubble
		told.show(twilioacct.SyncReport{Documents: 10, Unchanged: 5})
		told.observe(twilioacct.SyncEvent{Kind: twilioacct.EventGone, SID: sid}, false)
		assert.Contains(t, screen.String(), wrapOn+eraseLine+"Twilio account ")
	})
}

func TestWhereTheTotalIsNotKnownTheBarIsACount(t *testing.T) {
	t.Parallel()
	s := stateOf(twilioacct.SyncReport{OneByOne: true, Documents: 7, Unchanged: 7, Listed: 1000}, time.Minute)
	assert.Equal(t, " 1,000 accounts so far", s.bar())
	assert.Equal(t, " 0 accounts so far", stateOf(twilioacct.SyncReport{}, time.Minute).bar())
}

// shown are the lines of a run of 100,000 documents that is at these reports, ten seconds apart.
func shown(t *testing.T, reports ...twilioacct.SyncReport) (lines []string) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		var file bytes.Buffer
		p := progress{w: &file}
		p.show(twilioacct.SyncReport{Documents: 100_000})
		for _, r := range reports {
			time.Sleep(10 * time.Second) // in a bubble
			r.Documents = 100_000
			p.show(r)
		}
		lines = strings.Split(strings.TrimSpace(file.String()), "\n")
	})
	return lines
}

func TestOnceDocumentsFailInTheirNumbersNobodyCanTellHowLongItTakes(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"99 of 100,000 documents"}, shown(t, twilioacct.SyncReport{Failed: 99}), "the first page did not come")
	assert.Equal(t, []string{
		"50,000 of 100,000 documents, about 10 s left",
		"50,099 of 100,000 documents",
		"50,199 of 100,000 documents",
		"51,199 of 100,000 documents, about 38 s left",
	}, shown(t,
		twilioacct.SyncReport{Unchanged: 50_000},
		twilioacct.SyncReport{Unchanged: 50_000, Failed: 99},
		twilioacct.SyncReport{Unchanged: 50_000, Failed: 199},
		twilioacct.SyncReport{Unchanged: 51_000, Failed: 199}))
}

func TestWhatFailedOrIsGoneDoesNotCountForThePace(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"50,000 of 100,000 documents, about 20 s left"},
		shown(t, twilioacct.SyncReport{Unchanged: 25_000, Failed: 20_000, Gone: 5_000}))
}

func TestMoreThanAllIsAll(t *testing.T) {
	t.Parallel()
	s := stateOf(twilioacct.SyncReport{Documents: 10, Unchanged: 9, Failed: 5}, time.Minute)
	assert.Equal(t, " 100 % ████████████████████████████ 10 of 10 documents", s.bar(), "an account that makes no sense is no document")
}

func TestAnEstimateIsNoMorePreciseThanItCanBe(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		time.Millisecond: "1 s", 12345 * time.Millisecond: "12 s", 99 * time.Second: "99 s", 100 * time.Second: "2 min", 3 * time.Hour: "180 min",
	} {
		assert.Equal(t, want, roughly(d), d.String())
	}
}

func TestAFileIsNoTerminalAndADumbOneIsNone(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	defer func() { _ = file.Close() }()
	assert.False(t, isTerminal(file))
	assert.False(t, isTerminal(&bytes.Buffer{}))
	device, err := os.Open(os.DevNull) // a device of characters, as terminals are
	require.NoError(t, err)
	defer func() { _ = device.Close() }()
	t.Setenv("TERM", "xterm")
	assert.True(t, isTerminal(device))
	t.Setenv("TERM", "dumb")
	assert.False(t, isTerminal(device))
}
