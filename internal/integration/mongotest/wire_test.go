package mongotest

import (
	"bytes"
	"encoding/binary"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/bson"
)

// frame puts a header before a payload.
func frame(opcode uint32, payload ...[]byte) []byte {
	body := bytes.Join(payload, nil)
	out := make([]byte, headerSize)
	binary.LittleEndian.PutUint32(out[0:], uint32(headerSize+len(body)))
	binary.LittleEndian.PutUint32(out[4:], 7)
	binary.LittleEndian.PutUint32(out[12:], opcode)
	return append(out, body...)
}

func u32(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }

func encoded(t testing.TB, d bson.D) []byte {
	raw, err := bson.Marshal(d)
	require.NoError(t, err)
	return raw
}

// sequence is a section with several documents.
func sequence(t testing.TB, name string, docs ...bson.D) []byte {
	body := append([]byte(name), 0)
	for _, d := range docs {
		body = append(body, encoded(t, d)...)
	}
	return append([]byte{1}, append(u32(uint32(len(body)+4)), body...)...)
}

// realMessages are messages as the driver sends them.
func realMessages(t testing.TB) map[string][]byte {
	command := append([]byte{0}, encoded(t, document("insert", "c", "$db", "d"))...)
	ping := append([]byte{0}, encoded(t, document("ping", int32(1), "$db", "admin"))...)
	hello := encoded(t, document("isMaster", int32(1), "helloOk", true))
	docs := sequence(t, "documents", document("_id", int32(1)), document("a", bson.A{document("b", nil)}))
	return map[string][]byte{
		"ping":       frame(opMsg, u32(0), ping),
		"bulk":       frame(opMsg, u32(0), command, docs),
		"docs first": frame(opMsg, u32(0), docs, command),
		"checksum":   frame(opMsg, u32(flagChecksum), ping, u32(0xdeadbeef)),
		"w: 0":       frame(opMsg, u32(flagMoreToCome), command, docs),
		"handshake":  frame(opQuery, u32(4), []byte("admin.$cmd\x00"), u32(0), u32(1), hello),
	}
}

func TestRealMessagesAreUnderstood(t *testing.T) {
	t.Parallel()
	for name, raw := range realMessages(t) {
		m, err := readMessage(bytes.NewReader(raw))
		require.NoError(t, err, name)
		require.EqualValues(t, 7, m.id)
		require.NotEmpty(t, m.body)
		require.Equal(t, name == "w: 0", m.noReply)
	}
	m, err := readMessage(bytes.NewReader(realMessages(t)["bulk"]))
	require.NoError(t, err)
	require.Len(t, field(m.body, "documents"), 2)
}

func TestEveryTruncationIsAnErrorAndNoPanic(t *testing.T) {
	t.Parallel()
	for name, raw := range realMessages(t) {
		for n := range raw {
			cut := bytes.Clone(raw[:n])
			_, err := readMessage(bytes.NewReader(cut))
			require.Error(t, err, "%s cut to %d", name, n)
			if n >= headerSize { // the same with a header that fits
				binary.LittleEndian.PutUint32(cut, uint32(n))
				_, _ = readMessage(bytes.NewReader(cut))
			}
		}
	}
}

func TestDeepNestingIsRefused(t *testing.T) {
	t.Parallel()
	d := document("a", int32(1))
	for range maxDepth {
		d = document("a", d)
	}
	_, err := decode(encoded(t, d))
	require.ErrorIs(t, err, errMalformed)
}

func TestAMalformedMessageEndsItsConnectionOnly(t *testing.T) {
	t.Parallel()
	s := Start(t)
	for _, raw := range [][]byte{
		[]byte("GET / HTTP/1.1\r\n\r\n"), frame(opMsg, u32(0)), frame(1, u32(0)), frame(opMsg, u32(0), []byte{9, 5, 0, 0, 0, 0}),
	} {
		requireHangsUp(t, s.Address(), raw)
	}
	require.NoError(t, Connect(t, s.URI()).Ping(t.Context(), nil))
}

// requireHangsUp wants the server to end the connection, not just to be silent.
func requireHangsUp(t *testing.T, address string, raw []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(5*time.Second)))
	_, err = conn.Write(raw)
	require.NoError(t, err)
	_, err = conn.Read(make([]byte, 1))
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

func FuzzMessagesNeverPanic(f *testing.F) {
	for _, raw := range realMessages(f) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := readMessage(bytes.NewReader(raw))
		if err != nil {
			return
		}
		require.NotEmpty(t, m.body)
		_, err = encodeReply(m, 1, m.body)
		_ = err // some decoded values cannot be encoded again, which is an error, not a panic
	})
}

func FuzzCommandsNeverPanic(f *testing.F) {
	for _, raw := range realMessages(f) {
		f.Add(raw)
	}
	s := Start(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := readMessage(bytes.NewReader(raw))
		if err == nil {
			_, ok := s.answer(m.body)
			require.True(t, ok)
		}
	})
}
