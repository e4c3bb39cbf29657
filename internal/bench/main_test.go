package main

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if isJob, status := doJob(os.Args[1:]); isJob {
		os.Exit(status)
	}
	os.Exit(m.Run())
}

func TestWithoutAServerOnlyWhoAsksByNameFails(t *testing.T) {
	t.Setenv(mongoVariable, "")
	var out bytes.Buffer
	r := &report{out: &out}
	needy, err := choose([]string{"fleet", "loop", "fleetmemory", "faults"})
	require.NoError(t, err)
	assert.True(t, measureAll(t.Context(), r, needy, false))
	assert.Equal(t, len(needy), bytes.Count(out.Bytes(), []byte("not measured: it needs a MongoDB server, named by MONGODB_TEST_URI\n")))
	assert.False(t, measureAll(t.Context(), r, needy, true))
}

func TestAProcessIsThereUntilItIsStopped(t *testing.T) {
	t.Parallel()
	var far twilio
	p, err := start(t.Context(), "twilio", 2*pageSize, &far)
	require.NoError(t, err)
	n, err := newBare(&far).list(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 2*pageSize, n)
	assert.Equal(t, n, far.Accounts)

	p.stop()
	require.NotNil(t, p.cmd.ProcessState, "it was waited for")
	assert.True(t, p.cmd.ProcessState.Success(), "it has ended by itself")
	_, err = newBare(&far).list(t.Context())
	assert.Error(t, err)
}

func TestAProcessThatCannotAnswerIsAnError(t *testing.T) {
	t.Parallel()
	_, err := start(t.Context(), "sync", "no order", new(float64))
	assert.ErrorContains(t, err, "process sync gave no answer")
}

func TestThePeakOfMemoryStaysWhenTheMemoryIsFree(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
	}
	const large = 200e6
	func() {
		room := make([]byte, large)
		for i := range room {
			room[i] = 1
		}
		runtime.KeepAlive(room)
	}()
	debug.FreeOSMemory()
	peak, err := peakMemory()
	require.NoError(t, err)
	assert.Greater(t, peak, large)
}
