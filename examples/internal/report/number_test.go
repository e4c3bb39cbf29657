package report_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/twilioacct/twilioacct/examples/internal/report"
)

func TestThousandsAreSetApart(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 100000: "100,000", 1234567: "1,234,567", -1: "-1", -100: "-100", -5000: "-5,000",
	} {
		assert.Equal(t, want, report.Number(n))
	}
	assert.Equal(t, "1 account", report.Count(1, "account", "accounts"))
	assert.Equal(t, "0 accounts", report.Count(0, "account", "accounts"))
	assert.Equal(t, "5,000 accounts", report.Count(5000, "account", "accounts"))
}
