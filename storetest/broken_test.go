package storetest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/twilioacct/twilioacct"
	"github.com/twilioacct/twilioacct/storetest"
)

// broken is a MemStore with one mistake in it.
type broken struct {
	*twilioacct.MemStore

	load      func(context.Context, string) (twilioacct.Record, error)
	save      func(context.Context, twilioacct.Record) (twilioacct.Record, error)
	saveBatch func(context.Context, []twilioacct.Record) ([]twilioacct.SaveFailure, error)
	lies      bool // of what it makes
}

func (b *broken) Makes() bool { return b.MemStore.Makes() != b.lies }

func (b *broken) SaveBatch(ctx context.Context, records []twilioacct.Record) ([]twilioacct.SaveFailure, error) {
	if b.saveBatch != nil {
		return b.saveBatch(ctx, records)
	}
	return b.MemStore.SaveBatch(ctx, records)
}

func (b *broken) Load(ctx context.Context, sid string) (twilioacct.Record, error) {
	if b.load != nil {
		return b.load(ctx, sid)
	}
	return b.MemStore.Load(ctx, sid)
}

func (b *broken) Save(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
	if b.save != nil {
		return b.save(ctx, r)
	}
	return b.MemStore.Save(ctx, r)
}

// mistakes are what an implementation may well get wrong.
var mistakes = map[string]func(*broken){
	"an empty token replaces the kept one": func(b *broken) {
		b.save = func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			if r.AuthToken.IsZero() && r.Check() == nil {
				r.Remove = append(r.Remove, twilioacct.FieldAuthToken)
			}
			return b.MemStore.Save(ctx, r)
		}
	},
	"the revision is not compared": func(b *broken) {
		b.save = func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			kept, err := b.MemStore.Load(ctx, r.SID)
			if err == nil {
				r.Rev = kept.Rev
			}
			return b.MemStore.Save(ctx, r)
		}
	},
	"what is to go stays": func(b *broken) {
		b.save = func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			if r.Check() == nil {
				r.Remove = nil
			}
			return b.MemStore.Save(ctx, r)
		}
	},
	"a context that has ended is ignored": func(b *broken) {
		b.load = func(ctx context.Context, sid string) (twilioacct.Record, error) {
			return b.MemStore.Load(context.WithoutCancel(ctx), sid)
		}
	},
	"a miss is an empty record": func(b *broken) {
		b.load = func(ctx context.Context, sid string) (twilioacct.Record, error) {
			r, err := b.MemStore.Load(ctx, sid)
			if errors.Is(err, twilioacct.ErrNoRecord) {
				return twilioacct.Record{SID: sid}, nil
			}
			return r, err
		}
	},
	"the keys are shared with the caller": func(b *broken) {
		var shared sync.Map
		b.load = func(ctx context.Context, sid string) (twilioacct.Record, error) {
			r, err := b.MemStore.Load(ctx, sid)
			if keys, ok := shared.LoadOrStore(sid, r.APIKeys); ok {
				r.APIKeys, _ = keys.(map[string]twilioacct.APIKey)
			}
			return r, err
		}
	},
	"the first keys are the caller's own map": func(b *broken) {
		var adopted sync.Map
		b.save = func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			saved, err := b.MemStore.Save(ctx, r)
			if err == nil && len(r.APIKeys) == len(saved.APIKeys) {
				adopted.Store(r.SID, r.APIKeys)
			}
			return saved, err
		}
		b.load = func(ctx context.Context, sid string) (twilioacct.Record, error) {
			r, err := b.MemStore.Load(ctx, sid)
			if keys, ok := adopted.Load(sid); ok && err == nil {
				r.APIKeys, _ = keys.(map[string]twilioacct.APIKey)
			}
			return r, err
		}
	},
	"it says that it makes records": func(b *broken) { b.lies = true },
	"a batch does not compare revisions": func(b *broken) {
		b.saveBatch = eachOf(func(ctx context.Context, r twilioacct.Record) error {
			if kept, err := b.MemStore.Load(ctx, r.SID); err == nil {
				r.Rev = kept.Rev
			}
			_, err := b.MemStore.Save(ctx, r)
			return err
		})
	},
	"a batch erases what is not set": func(b *broken) {
		b.saveBatch = eachOf(func(ctx context.Context, r twilioacct.Record) error {
			if r.AuthToken.IsZero() && r.Status != "" && r.Check() == nil {
				r.Remove = append(r.Remove, twilioacct.FieldAuthToken)
			}
			_, err := b.MemStore.Save(ctx, r)
			return err
		})
	},
	"a batch drops the second record of an account": func(b *broken) {
		b.saveBatch = func(ctx context.Context, records []twilioacct.Record) ([]twilioacct.SaveFailure, error) {
			seen := map[string]bool{}
			return b.MemStore.SaveBatch(ctx, slices.DeleteFunc(slices.Clone(records), func(r twilioacct.Record) bool {
				defer func() { seen[r.SID] = true }()
				return seen[r.SID]
			}))
		}
	},
	"a batch that is repeated is written again": func(b *broken) {
		b.saveBatch = eachOf(func(ctx context.Context, r twilioacct.Record) error {
			_, err := b.MemStore.Save(ctx, r)
			kept, loadErr := b.MemStore.Load(ctx, r.SID)
			if errors.Is(err, twilioacct.ErrStale) && loadErr == nil && kept.Rev == r.Rev+1 && kept.Status == r.Status {
				_, err = b.MemStore.Save(ctx, twilioacct.Record{SID: r.SID, Rev: kept.Rev, Tenant: "written again"})
			}
			return err
		})
	},
	"a batch keeps the first thousand": func(b *broken) {
		b.saveBatch = func(ctx context.Context, records []twilioacct.Record) ([]twilioacct.SaveFailure, error) {
			return b.MemStore.SaveBatch(ctx, records[:min(len(records), 1000)])
		}
	},
	"malformed records are taken": func(b *broken) {
		b.save = func(ctx context.Context, r twilioacct.Record) (twilioacct.Record, error) {
			if r.Check() != nil {
				return r, nil
			}
			return b.MemStore.Save(ctx, r)
		}
	},
}

// eachOf is a SaveBatch that saves one record after the other in its own way.
func eachOf(
	save func(context.Context, twilioacct.Record) error,
) func(context.Context, []twilioacct.Record) ([]twilioacct.SaveFailure, error) {
	return func(ctx context.Context, records []twilioacct.Record) (failures []twilioacct.SaveFailure, err error) {
		for _, r := range records {
			if err := save(ctx, r); err != nil {
				failures = append(failures, twilioacct.SaveFailure{SID: r.SID, Err: err})
			}
		}
		return failures, ctx.Err()
	}
}

const chosen = "STORETEST_MISTAKE"

// A suite that no mistake fails is worth nothing. Each runs in a process of its own, since it must fail there.
func TestEveryMistakeIsFound(t *testing.T) {
	t.Parallel()
	if os.Getenv(chosen) != "" {
		t.Skip("this is the process of one mistake")
	}
	for name := range mistakes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestAMistake$")
			cmd.Env = append(os.Environ(), chosen+"="+name)
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			crashed := strings.Contains(string(out), "concurrent map") // what is shared can also end so
			if !errors.As(err, &exit) || !crashed && !strings.Contains(string(out), "--- FAIL: TestAMistake") {
				t.Errorf("the suite did not fail: %v\n%s", err, out)
			}
		})
	}
}

func TestAMistake(t *testing.T) {
	t.Parallel()
	mistake := mistakes[os.Getenv(chosen)]
	if mistake == nil {
		t.Skip("run by TestEveryMistakeIsFound")
	}
	storetest.Run(t, func(_ testing.TB, seed ...twilioacct.Record) twilioacct.Store {
		b := &broken{MemStore: twilioacct.NewMemStore(seed...)}
		mistake(b)
		return b
	})
}
