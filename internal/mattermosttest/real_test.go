package mattermosttest

import "testing"

func TestReal(t *testing.T) {
	Suite(t, func(t testing.TB) *World { return Real(t) })
}

// BenchmarkReal is how long a world takes to start, after the first.
func BenchmarkReal(b *testing.B) {
	Real(b)
	for b.Loop() {
		Real(b)
	}
}
