package seal

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
)

var cheapPhrase = PhraseCost{Passes: 1, Memory: 64}

func TestPhrase(t *testing.T) {
	t.Parallel()
	for _, phrase := range []string{"rendang padang", "", "🥭🍚", "كلمة السر", strings.Repeat("a", 4096)} {
		sum, err := SumPhrase(cheapPhrase, rand.Reader, phrase)
		if err != nil {
			t.Fatal(err)
		}
		if phrase != "" && strings.Contains(sum, phrase) {
			t.Error("the sum holds the phrase")
		}
		if ok, err := IsPhrase(sum, phrase); !ok || err != nil {
			t.Errorf("IsPhrase = %v, %v for the phrase itself", ok, err)
		}
		if ok, err := IsPhrase(sum, phrase+"x"); ok || err != nil {
			t.Errorf("IsPhrase = %v, %v for another phrase", ok, err)
		}
		again, err := SumPhrase(cheapPhrase, rand.Reader, phrase)
		if err != nil || again == sum {
			t.Errorf("two sums of one phrase are the same (%v)", err)
		}
	}
}

// TestPhraseCost: the cost stands in the sum, and that one counts.
func TestPhraseCost(t *testing.T) {
	t.Parallel()
	sum, err := SumPhrase(PhraseCost{Passes: 2, Memory: 128}, rand.Reader, "rendang")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(sum, "$argon2id$v=19$m=128,t=2,p=1$") {
		t.Errorf("the sum does not say what it cost: %s", sum)
	}
	if ok, err := IsPhrase(sum, "rendang"); !ok || err != nil {
		t.Errorf("a sum of another cost: %v, %v", ok, err)
	}
	if got := DefaultPhraseCost(); got != (PhraseCost{Passes: 3, Memory: 65536}) {
		t.Errorf("the default cost is %+v", got)
	}
}

func TestNoPhrase(t *testing.T) {
	t.Parallel()
	good, err := SumPhrase(cheapPhrase, rand.Reader, "rendang")
	if err != nil {
		t.Fatal(err)
	}
	for name, sum := range map[string]string{
		"empty":            "",
		"another kind":     strings.Replace(good, "argon2id", "argon2i", 1),
		"another version":  strings.Replace(good, "v=19", "v=16", 1),
		"several lanes":    strings.Replace(good, "p=1", "p=4", 1),
		"no pass":          strings.Replace(good, "t=1", "t=0", 1),
		"too many passes":  strings.Replace(good, "t=1", "t=65", 1),
		"too much memory":  strings.Replace(good, "m=64", "m=4294967295", 1),
		"a sign":           strings.Replace(good, "m=64", "m=+64", 1),
		"more after it":    good + "$x",
		"a cut sum":        good[:len(good)-4],
		"a sum of nothing": good[:strings.LastIndex(good, "$")+1],
	} {
		if ok, err := IsPhrase(sum, "rendang"); ok || !errors.Is(err, ErrPhrase) {
			t.Errorf("%s: %v, %v; want ErrPhrase", name, ok, err)
		}
	}
}

func BenchmarkPhrase(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := SumPhrase(DefaultPhraseCost(), rand.Reader, "rendang padang"); err != nil {
			b.Fatal(err)
		}
	}
}
