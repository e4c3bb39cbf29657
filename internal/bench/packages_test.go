package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRootPackageIsLight(t *testing.T) {
	t.Parallel()
	packages, err := packagesBelow(t.Context(), root)
	require.NoError(t, err)
	assert.Contains(t, packages, root)
	assert.LessOrEqual(t, len(packages), 16, "packages outside the standard library: %v", packages)
	assert.NotContains(t, packages, twilioGo, "twilio-go's root package, which compiles all of Twilio")
	for _, p := range packages {
		assert.NotContains(t, p, "go.mongodb.org", "only mongostore needs the driver")
	}
}
