package twiliotest

// A new resource is one file, with its state and its table of routes, and a
// line in each of these two.

type resources struct {
	accounts accounts
}

var router = newRouter(
	accountRoutes,
)
