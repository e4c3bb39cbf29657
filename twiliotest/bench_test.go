package twiliotest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/twilioacct/twilioacct/twiliotest"
)

func BenchmarkFetch(b *testing.B) {
	s := twiliotest.Start(twiliotest.WithRecordLimit(0))
	defer s.Close()
	sid := s.AddSubaccount("").SID
	b.Run("no socket", func(b *testing.B) { benchmark(b, s.HTTPClient(), s, "/"+sid+".json") })
	b.Run("socket", func(b *testing.B) { benchmark(b, s.SocketClient(), s, "/"+sid+".json") })
	b.Run("bare net/http", func(b *testing.B) {
		body := make([]byte, 2300)
		bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(body) }))
		defer bare.Close()
		r, _ := http.NewRequest("GET", bare.URL, nil)
		exchange(b, bare.Client(), r)
	})
}

func BenchmarkPageOf1000(b *testing.B) {
	s := twiliotest.Start(twiliotest.WithRecordLimit(0))
	defer s.Close()
	s.AddSubaccounts(1000)
	b.Run("no socket", func(b *testing.B) { benchmark(b, s.HTTPClient(), s, ".json?PageSize=1000") })
	b.Run("socket", func(b *testing.B) { benchmark(b, s.SocketClient(), s, ".json?PageSize=1000") })
}

func BenchmarkAddSubaccounts100000(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		twiliotest.Start().AddSubaccounts(100_000)
	}
}

func benchmark(b *testing.B, client *http.Client, s *twiliotest.Server, path string) {
	r, err := http.NewRequest("GET", base+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.SetBasicAuth(s.Parent().SID, s.Parent().AuthToken)
	exchange(b, client, r)
}

func exchange(b *testing.B, client *http.Client, r *http.Request) {
	b.ReportAllocs()
	for b.Loop() {
		response, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
}
