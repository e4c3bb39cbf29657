package mongostore

import (
	"sync/atomic"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

// Options are the choices of [New]; the zero value of each is a good one.
type Options struct {
	// Paths are where the fields are.
	Paths Paths

	// Upsert lets Save make the document of an account that has none. Without it (false), an account without a document is
	// twilioacct.ErrNoRecord. With it, have the unique index: without one, two that upsert at once may make two documents.
	Upsert bool

	// Claims is the collection that claims are kept in, one small document each, by its _id; any collection will do that nobody
	// else writes to. Without it (nil), Claim, Renew and Release answer errors.ErrUnsupported. Never expire its documents: a
	// fence must not begin again.
	Claims *mongo.Collection

	// Timeout bounds each operation, and each batch of a long one; a context that ends sooner ends it sooner. 0 is 10 s. Within it
	// the driver itself repeats what met a lost connection or an election.
	Timeout time.Duration
}

const defaultTimeout = 10 * time.Second

// Store is a [twilioacct.Store] on a collection of MongoDB, with all of its optional interfaces. It is safe for concurrent use
// and has nothing to close: the client is the application's.
type Store struct {
	accounts *mongo.Collection
	claims   *mongo.Collection // nil: none
	paths    paths
	upsert   bool
	timeout  time.Duration

	indexed atomic.Bool // an index on the SID was seen
}

// New returns a Store on that collection. It does no I/O: it never connects, disconnects, pings or makes an index. The options
// are copied; nil is all defaults. What cannot work is twilioacct.ErrInvalid.
func New(accounts *mongo.Collection, opts *Options) (*Store, error) {
	if accounts == nil {
		return nil, invalid("the collection is nil: pass client.Database(…).Collection(…)")
	}
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Timeout < 0 {
		return nil, invalid("Options.Timeout %v is negative: 0 is %v", o.Timeout, defaultTimeout)
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	parsed, err := o.Paths.parse()
	if err != nil {
		return nil, err
	}
	s := &Store{accounts: durable(accounts), paths: parsed, upsert: o.Upsert, timeout: o.Timeout}
	if o.Claims != nil {
		s.claims = durable(o.Claims)
	}
	return s, nil
}

// durable is the handle with the guarantees that a Store gives, whatever the application's own handle is set to. The registry
// and the options for BSON are the driver's own, too: an application's encoders are for its own types.
func durable(c *mongo.Collection) *mongo.Collection {
	return c.Clone(options.Collection().
		SetWriteConcern(writeconcern.Majority()).
		SetReadConcern(readconcern.Majority()).
		SetReadPreference(readpref.Primary()).
		SetRegistry(bson.NewRegistry()).
		SetBSONOptions(&options.BSONOptions{}))
}
