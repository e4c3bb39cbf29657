package setup_test

import (
	"flag"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

func TestANumberIsToldFromItsSIDAndFromAnythingElse(t *testing.T) {
	t.Parallel()
	const sid = "PN0123456789abcdef0123456789ABCDEF"
	for _, number := range []string{"+14158740103", "+493023125000", "+12"} {
		assert.True(t, setup.IsPhoneNumber(number), number)
		assert.False(t, setup.IsPhoneNumberSID(number), number)
	}
	assert.True(t, setup.IsPhoneNumberSID(sid))
	for _, other := range []string{
		"", "4158740103", "+04158740103", "+1 415 874 0103", "+1234567890123456", sid, sid[:33], "AC" + sid[2:],
	} {
		assert.False(t, setup.IsPhoneNumber(other), other)
		assert.Equal(t, other == sid, setup.IsPhoneNumberSID(other), other)
	}
}

func TestAnAreaCodeIsOneOfTheUSOrCanada(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"415": 415, "200": 200, "999": 999, "0": 0, "": 0, "199": 0, "1000": 0, "four": 0, "-415": 0} {
		flags := flag.NewFlagSet("program", flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		var code int
		setup.AreaCodeFlag(flags, &code, "")

		err := flags.Parse([]string{"-area-code=" + text})

		if want == 0 {
			assert.ErrorContains(t, err, "area codes from 200 to 999", text)
			continue
		}
		assert.NoError(t, err, text)
		assert.Equal(t, want, code)
	}
}
