package browser

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/twilioacct/twilioacct/internal/integration/programs"
)

// window is the browser, which each test opens a tab in; nil where there is none.
var window context.Context

func TestMain(m *testing.M) { os.Exit(openAndRun(m)) }

func openAndRun(m *testing.M) int {
	path := browserPath()
	if path == "" {
		return m.Run() // each test says that it skips
	}
	opened, closeWindow := newWindow(context.Background(), path)
	defer closeWindow()
	if err := chromedp.Do(opened); err != nil {
		fmt.Fprintln(os.Stderr, path, "does not start:", err)
		return 1
	}
	window = opened //nolint:fatcontext // set once, before any test
	return programs.Main(m, "./examples/dashboard", "./examples/voice")
}

// browsers are the names that Chromium goes by.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

func browserPath() string {
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func newWindow(ctx context.Context, path string) (window context.Context, closeWindow func()) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium has none for root, as in a container
	}
	allocated, free := chromedp.NewExecAllocator(ctx, options...)
	window, closeTab := chromedp.NewContext(allocated)
	return window, func() { closeTab(); free() }
}

// whereabouts is what a program says when its page is ready.
var whereabouts = regexp.MustCompile(`The \w+ is at (http://\S+/)`)

// start starts a program offline, with a page, and interrupts it when the test has ended and its tab is closed.
func start(t *testing.T, program string, args ...string) *url.URL {
	t.Helper()
	ctx, interrupt := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := programs.Command(ctx, nil, program, append(args, "-http", "127.0.0.1:0")...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		interrupt()
		_ = cmd.Wait() // its error is that it was interrupted
		assert.Zero(t, cmd.ProcessState.ExitCode(), "the program ends well when it is interrupted")
	})

	var said []string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said = append(said, lines.Text())
		if found := whereabouts.FindStringSubmatch(lines.Text()); found != nil {
			address, err := url.Parse(found[1])
			require.NoError(t, err)
			return address
		}
	}
	require.Fail(t, "the program does not say where it is", strings.Join(said, "\n"))
	return nil
}
