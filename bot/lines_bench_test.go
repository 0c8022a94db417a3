package bot

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// BenchmarkWire makes calls as large as an edit's, 64 at a time, by a client of
// net/http and by lines. The server is in the same process.
func BenchmarkWire(b *testing.B) {
	body := strings.Repeat("y", 900)
	for name, c := range map[string]*http.Client{
		"net/http": {Transport: &http.Transport{MaxIdleConnsPerHost: connections}},
		"lines":    nil,
	} {
		b.Run(name, func(b *testing.B) {
			answer := plainAnswer(body)
			base, err := url.Parse(say(b, func(int, int) string { return answer }) + "/bot/")
			if err != nil {
				b.Fatal(err)
			}
			w := newWire(c, *base)
			b.ReportAllocs()
			b.SetParallelism(64)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := w.post(context.Background(), "a", []byte(body)); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
