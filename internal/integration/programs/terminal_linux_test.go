package programs

import (
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/twilioacct/twilioacct/twiliotest"
)

// openTerminal returns the two ends of a terminal: what a person sees and what a program writes to.
func openTerminal(t *testing.T) (screen, terminal *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("skipped, for this machine gives out no terminals: ", err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	return screen, terminal
}

// seen is what a person sees of a sync of 50 documents, whose accounts take a while to be listed, on a terminal of that kind.
func seen(t *testing.T, kind string) string {
	t.Helper()
	fake, accounts, env := world(t)
	insertFleet(t, accounts, fake.AddSubaccounts(50))
	fake.Inject(twiliotest.Fault{Operation: "ListAccount", Times: twiliotest.Always, Delay: 300 * time.Millisecond})
	env["TERM"] = kind
	screen, terminal := openTerminal(t)
	cmd := Command(t.Context(), env, "syncall")
	cmd.Stderr = terminal
	require.NoError(t, cmd.Start())
	require.NoError(t, terminal.Close())
	text, _ := io.ReadAll(screen) // ends with an error, as the other end is closed then
	require.NoError(t, cmd.Wait())
	return string(text)
}

func TestOnATerminalSyncAllDrawsABarAndTakesItAway(t *testing.T) {
	t.Parallel()
	text := seen(t, "xterm")
	assert.Regexp(t, `\d+ % [█░]{28} \d+ of 50 documents`, text)
	last := text[strings.LastIndex(text, "\r\x1b[2K"):]
	assert.NotRegexp(t, "[█░]", last, "the last thing is that it goes")
}

func TestOnADumbTerminalThereIsNoBar(t *testing.T) {
	t.Parallel()
	assert.NotContains(t, seen(t, "dumb"), "\x1b")
}
