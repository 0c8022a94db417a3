package bot

import (
	"context"
	"net/url"
	"strings"
	"testing"
)

// BenchmarkWire makes calls as large as an edit's, 64 at a time, by net/http and
// by fasthttp. The server is in the same process.
func BenchmarkWire(b *testing.B) {
	body := strings.Repeat("y", 900)
	for _, name := range []string{"net/http", "fasthttp"} {
		b.Run(name, func(b *testing.B) {
			answer := plainAnswer(body)
			base, err := url.Parse(say(b, func(int, int) string { return answer }) + "/bot/")
			if err != nil {
				b.Fatal(err)
			}
			w, slow := newWires(nil, *base)
			if name == "net/http" {
				w = slow
			}
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
