package setup_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/twilioacct/twilioacct/examples/internal/setup"
)

func TestOnlyThisMachineCanReachALocalAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"127.0.0.1:8081": "127.0.0.1:8081", "localhost:0": "127.0.0.1:0", "[::1]:8081": "[::1]:8081", "127.9.9.9:1": "127.9.9.9:1",
	} {
		got, err := setup.LocalAddress(text)
		assert.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, text := range []string{
		"", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "0.0.0.0:8080", "[::]:8080", "192.168.0.7:8080",
		"example.com:8080", "localhost.example.com:8080", "127.0.0.1:8080:8080", "0x7f000001:8080", "2130706433:8080",
	} {
		_, err := setup.LocalAddress(text)
		assert.Error(t, err, text)
	}
}

func TestALocalPageIsForThisMachineAndItsOwnOrigin(t *testing.T) {
	t.Parallel()
	page := setup.LocalPage("default-src 'none'", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for host, want := range map[string]int{
		"127.0.0.1:8080": 200, "127.0.0.1": 200, "LOCALHOST:9000": 200, "[::1]:8080": 200, "[::1]": 200, "127.8.8.8:1": 200, "localhost": 200,
		"evil.example": 421, "evil.example:8080": 421, "localhost.evil.example:8080": 421, "[::]:8080": 421,
		"127.0.0.1.evil.example": 421, "192.168.0.7:8080": 421, "0.0.0.0:8080": 421, "": 421,
	} {
		for origin, wantOfOrigin := range map[string]int{"": want, "http://" + host: want, "http://other.example": max(want, 403)} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody)
			r.Host = host
			r.Header.Set("Origin", origin)
			w := httptest.NewRecorder()

			page.ServeHTTP(w, r)

			assert.Equal(t, wantOfOrigin, w.Code, "%s from %s", host, origin)
			assert.Equal(t, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'", w.Header().Get("Content-Security-Policy"))
		}
	}
}
