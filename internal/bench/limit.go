package main

import (
	"bytes"
	"context"
	"hash/maphash"

	"golang.org/x/sync/errgroup"
)

// limit is the least that syncs a fleet: what is measured against it is the price of everything else. It is right where nothing goes
// wrong. It has no retry, no time limit and no revisions, looks for nothing that is missing, and tells nobody anything.
//
// The documents are read while the first page is on its way. Each other page is asked for as soon as they are and its address is known:
// a page that is older than the documents could undo what is newer in them. While it is on its way, the one before is compared with
// them, and what differs is written.
type limit struct {
	pages *pager
	store plainStore
}

// plainStore is where the limit's documents are.
type plainStore interface {
	scan(ctx context.Context, see func(plainAccount)) error
	write(ctx context.Context, differ []plainAccount) (found int, err error)
}

// plainAccount is what is synced of an account, in memory that others may use when this was seen or written.
type plainAccount struct{ sid, token, status []byte }

// sync returns how many accounts differed, and had a document that was written.
func (l *limit) sync(ctx context.Context) (written int, err error) {
	defer l.pages.forget()
	g, ctx := errgroup.WithContext(ctx)
	known, scanned := newFingerprints(), make(chan struct{})
	g.Go(func() error {
		defer close(scanned)
		return l.store.scan(ctx, known.add)
	})
	arrived := make(chan []byte, 1)
	g.Go(func() error {
		defer close(arrived)
		return l.pages.each(ctx, func(page []byte) error {
			defer func() { <-scanned }()
			return send(ctx, arrived, page)
		})
	})
	read := then(ctx, g, arrived, func(page []byte) []plainAccount {
		defer l.pages.reuse(page)
		return copied(page)
	})
	differ := then(ctx, g, read, func(accounts []plainAccount) []plainAccount {
		<-scanned
		return known.without(accounts)
	})
	g.Go(func() error {
		for accounts := range differ {
			found, err := l.store.write(ctx, accounts)
			if err != nil {
				return err
			}
			written += found
		}
		return nil
	})
	err = g.Wait()
	return written, err
}

// then does the next work on what comes, beside all others.
func then[A, B any](ctx context.Context, g *errgroup.Group, from <-chan A, work func(A) B) <-chan B {
	const ahead = 4
	to := make(chan B, ahead)
	g.Go(func() error {
		defer close(to)
		for one := range from {
			if err := send(ctx, to, work(one)); err != nil {
				return err
			}
		}
		return nil
	})
	return to
}

func send[T any](ctx context.Context, to chan<- T, value T) error {
	select {
	case to <- value:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fingerprints are of accounts as the documents have them: one of SID, token and status together.
type fingerprints struct {
	seed maphash.Seed
	set  map[uint64]struct{}
	text []byte
}

func newFingerprints() *fingerprints {
	return &fingerprints{seed: maphash.MakeSeed(), set: map[uint64]struct{}{}}
}

func (f *fingerprints) of(a plainAccount) uint64 {
	f.text = append(f.text[:0], a.sid...)
	f.text = append(append(f.text, ' '), a.token...)
	f.text = append(append(f.text, ' '), a.status...)
	return maphash.Bytes(f.seed, f.text)
}

func (f *fingerprints) add(a plainAccount) { f.set[f.of(a)] = struct{}{} }

// without leaves the accounts that no document has as they are.
func (f *fingerprints) without(accounts []plainAccount) []plainAccount {
	differ := accounts[:0]
	for _, a := range accounts {
		if _, isKnown := f.set[f.of(a)]; !isKnown {
			differ = append(differ, a)
		}
	}
	return differ
}

// copied is what is needed of a page: a thirtieth.
func copied(page []byte) []plainAccount {
	accounts := make([]plainAccount, 0, pageSize)
	text := make([]byte, 0, len(page)/30)
	keep := func(b []byte) []byte {
		text = append(text, b...)
		return text[len(text)-len(b):]
	}
	for a, rest := nextAccount(page); rest != nil; a, rest = nextAccount(rest) {
		accounts = append(accounts, plainAccount{keep(a.sid), keep(a.token), keep(a.status)})
	}
	return accounts
}

// nextAccount finds the fields in the order in which Twilio's answers have them. No text in between can look like one of their
// names, for it would have a backslash before its quotes.
func nextAccount(page []byte) (a plainAccount, rest []byte) {
	if a.token, page = nextText(page, tokenName); page != nil {
		a.sid, page = nextText(page, sidName)
		a.status, page = nextText(page, statusName)
	}
	return a, page
}

var (
	tokenName  = []byte(`{"auth_token":"`) // an account begins with it; and a brace is rare, so that it is soon found
	sidName    = []byte(`"sid":"`)
	statusName = []byte(`"status":"`)
)

func nextText(b, name []byte) (text, rest []byte) {
	at := bytes.Index(b, name)
	if at < 0 {
		return nil, nil
	}
	b = b[at+len(name):]
	end := bytes.IndexByte(b, '"')
	if end < 0 {
		return nil, nil
	}
	return b[:end], b[end:]
}
