package page

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAWalkGoesWhereTheNextPageIs(t *testing.T) {
	t.Parallel()
	for next, at := range map[string]Cursor{
		"/2010-04-01/Accounts.json?PageSize=1000&Page=1&PageToken=PAAC1": {Token: "PAAC1", Number: "1"},
		"https://elsewhere.example/x?PageToken=a%20b":                    {Token: "a b"},
		"?Page=7": {Number: "7"},
	} {
		var walk Walk
		more, err := walk.Follow(typed{}, next)
		require.NoError(t, err)
		assert.True(t, more)
		assert.Equal(t, at, walk.At)
	}
}

func TestAWalkThatDoesNotKnowTheWayStaysWhereItIs(t *testing.T) {
	t.Parallel()
	var walk Walk
	_, err := walk.Follow(typed{}, "?Page=1")
	require.NoError(t, err)
	for _, next := range []string{"?", "/2010-04-01/Accounts.json", "?PageToken=&Page=", "?page=2", ":", "?Page=1"} {
		more, err := walk.Follow(typed{}, next)
		require.ErrorAs(t, err, new(failure), next)
		assert.False(t, more, next)
		assert.Equal(t, Cursor{Number: "1"}, walk.At, next)
	}
	more, err := walk.Follow(typed{}, "")
	require.NoError(t, err, "the end of the list")
	assert.False(t, more)
}

func TestAWalkInACircleEnds(t *testing.T) {
	t.Parallel()
	for before := range 20 {
		for around := 1; around < 20; around++ {
			var walk Walk
			steps, page := 0, 0
			for err := error(nil); err == nil; steps++ {
				if page++; page == before+around {
					page = before
				}
				_, err = walk.Follow(typed{}, fmt.Sprintf("?PageToken=PA&Page=%d", page))
			}
			assert.LessOrEqual(t, steps, 5*(before+around), "%d pages, then around %d", before, around)
		}
	}
}

func TestAWalkWithoutACircleHasNoEnd(t *testing.T) {
	t.Parallel()
	var walk Walk
	for page := 1; page <= 10_000; page++ {
		more, err := walk.Follow(typed{}, fmt.Sprintf("?Page=%d", page))
		require.NoError(t, err)
		require.True(t, more)
	}
}
