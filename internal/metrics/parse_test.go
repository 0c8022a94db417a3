package metrics

import (
	"strconv"
	"strings"
	"testing"
)

// parse reads the series of ours in Prometheus's text.
func parse(t *testing.T, text string) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "suar_") {
			continue
		}
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out[name] = n
	}
	return out
}
