package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func newVault(t testing.TB, seed byte) *Vault {
	t.Helper()
	raw := make([]byte, VaultKeySize)
	for i := range raw {
		raw[i] = seed + byte(i)
	}
	key, err := ParseVaultKey([]byte(hex.EncodeToString(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return NewVault(key)
}

func TestVaultRoundTrip(t *testing.T) {
	v := newVault(t, 1)
	for _, n := range []int{0, 1, 255, 256, 257, 4095, 4096, 100_000} {
		for _, fill := range []byte{0, 0x80, 'x'} {
			plain := bytes.Repeat([]byte{fill}, n)
			got, err := v.Open("state", "c1", v.Seal("state", "c1", plain))
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%d bytes of %#x: got %d bytes, %v", n, fill, len(got), err)
			}
		}
	}
}

func TestVaultSizesSayLittle(t *testing.T) {
	v := newVault(t, 1)
	for plain, padded := range map[int]int{0: 256, 1: 256, 255: 256, 256: 512, 511: 512, 512: 1024, 3000: 4096} {
		if got := len(v.Seal("state", "c1", make([]byte, plain))) - sealOverhead; got != padded {
			t.Errorf("%d bytes are padded to %d, want %d", plain, got, padded)
		}
	}
}

func TestVaultHidesAndNeverRepeats(t *testing.T) {
	v := newVault(t, 1)
	a, b := v.Seal("state", "c1", []byte(canary)), v.Seal("state", "c1", []byte(canary))
	if bytes.Contains(a, []byte(canary)) {
		t.Error("sealed bytes hold the plain text")
	}
	if bytes.Equal(a, b) {
		t.Error("the same text sealed twice is the same")
	}
}

func TestVaultBinds(t *testing.T) {
	v := newVault(t, 1)
	sealed := v.Seal("state", "c1", []byte(canary))
	flip := func(i int) []byte {
		b := bytes.Clone(sealed)
		b[i] ^= 1
		return b
	}
	for name, try := range map[string]struct {
		vault       *Vault
		bucket, key string
		sealed      []byte
		want        error
	}{
		"another bucket":      {v, "outbox", "c1", sealed, ErrSealed},
		"another key":         {v, "state", "c2", sealed, ErrSealed},
		"bucket and key slid": {v, "statec", "1", sealed, ErrSealed},
		"another vault":       {newVault(t, 2), "state", "c1", sealed, ErrSealed},
		"another epoch":       {v, "state", "c1", flip(2), ErrEpoch},
		"the lasting epoch":   {v, "state", "c1", flip(3), ErrSealed},
		"changed nonce":       {v, "state", "c1", flip(4), ErrSealed},
		"changed text":        {v, "state", "c1", flip(40), ErrSealed},
		"changed tag":         {v, "state", "c1", flip(len(sealed) - 1), ErrSealed},
		"cut":                 {v, "state", "c1", sealed[:len(sealed)-1], ErrSealed},
		"cut to nothing":      {v, "state", "c1", nil, ErrSealed},
		"longer":              {v, "state", "c1", append(bytes.Clone(sealed), 0), ErrSealed},
	} {
		if _, err := try.vault.Open(try.bucket, try.key, try.sealed); !errors.Is(err, try.want) {
			t.Errorf("%s: got %v, want %v", name, err, try.want)
		}
	}
}

// The epoch in front is not only looked at: it is bound too.
func TestVaultEpochIsBound(t *testing.T) {
	v := newVault(t, 1)
	other := v.keys().aeads[1].Seal(append([]byte{0, 0, 0, 1}, make([]byte, 24)...), make([]byte, 24), append([]byte{0x80}, make([]byte, minPadded-1)...), place("state", "c1", 2))
	if _, err := v.Open("state", "c1", other); !errors.Is(err, ErrSealed) {
		t.Errorf("bytes of epoch 2 relabelled as epoch 1: got %v", err)
	}
}

func TestVaultRefusesANULInABucket(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	newVault(t, 1).Seal("a\x00b", "c", nil)
}

func TestBlind(t *testing.T) {
	v := newVault(t, 1)
	name := v.Blind("caller", "tg:100000001")
	if len(name) != 32 || strings.Trim(name, "0123456789abcdef") != "" {
		t.Errorf("got %q, want 32 hexadecimal digits", name)
	}
	if again := v.Blind("caller", "tg:100000001"); again != name {
		t.Error("the same name is blinded differently")
	}
	for what, other := range map[string]string{
		"another name":  v.Blind("caller", "tg:100000002"),
		"another space": v.Blind("thread", "tg:100000001"),
		"another vault": newVault(t, 2).Blind("caller", "tg:100000001"),
	} {
		if other == name {
			t.Errorf("%s has the same blind name", what)
		}
	}
}

// What is on disk must open in every later version: these values never change.
func TestVaultDerivationsAreFixed(t *testing.T) {
	v := newVault(t, 1)
	for what, pair := range map[string][2]string{
		"blind":  {v.Blind("caller", "tg:100000001"), goldenBlind},
		"derive": {hex.EncodeToString(v.Derive("buttons")), goldenDerive},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %s, want %s", what, pair[0], pair[1])
		}
	}
	sealed, err := hex.DecodeString(goldenSealed)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := v.Open("state", "c1", sealed); err != nil || string(plain) != "kept" {
		t.Errorf("got %q, %v", plain, err)
	}
	if bytes.Equal(v.Derive("buttons"), v.Derive("fresh")) || len(v.Derive("fresh")) != 32 {
		t.Error("labels do not tell derived keys apart")
	}
}

func TestParseVaultKey(t *testing.T) {
	raw := []byte("0123456789abcdefghijklmnopqrstu\xff")
	for _, text := range []string{
		hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)),
		base64.StdEncoding.EncodeToString(raw), base64.RawStdEncoding.EncodeToString(raw),
		" \n" + hex.EncodeToString(raw) + "\r\n",
	} {
		key, err := ParseVaultKey([]byte(text))
		if err != nil || string(key.File()) != keyringOf(raw).String() {
			t.Errorf("a good key is refused: %v", err)
		}
		var read VaultKey
		if err := read.UnmarshalText([]byte(text)); err != nil || !read.secret.Equal(key.secret) {
			t.Errorf("as text it is another key: %v", err)
		}
	}
	for name, text := range map[string]string{
		"empty": "", "raw bytes": string(raw), "short": hex.EncodeToString(raw[:31]), "long": hex.EncodeToString(raw) + "00",
		"not hex": strings.Repeat("zz", 32), "zero": strings.Repeat("00", 32), "two": hex.EncodeToString(raw) + "\n" + hex.EncodeToString(raw),
		"not base64": strings.Repeat("*", 44), "base64 of 31": base64.StdEncoding.EncodeToString(raw[:31]),
	} {
		_, err := ParseVaultKey([]byte(text))
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if !strings.Contains(err.Error(), "head -c 32 /dev/urandom") {
			t.Errorf("%s: the error does not say how to make one: %v", name, err)
		}
		if len(text) > 8 && strings.Contains(err.Error(), text[:8]) {
			t.Errorf("%s: the error holds the text", name)
		}
	}
}

func TestNewVaultWithoutAKey(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	NewVault(VaultKey{})
}

func FuzzVaultOpen(f *testing.F) {
	v := newVault(f, 1)
	f.Add(v.Seal("state", "c1", []byte("kept")))
	f.Add([]byte{0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if _, err := v.Open("another", "place", sealed); err == nil {
			t.Error("bytes that were never sealed here open")
		}
	})
}

func BenchmarkVaultSeal(b *testing.B) {
	v := newVault(b, 1)
	for _, n := range []int{200, 4000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			plain := make([]byte, n)
			b.ReportAllocs()
			for b.Loop() {
				v.Seal("state", "c1", plain)
			}
		})
	}
}

func BenchmarkVaultOpen(b *testing.B) {
	v := newVault(b, 1)
	sealed := v.Seal("state", "c1", make([]byte, 4000))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Open("state", "c1", sealed); err != nil {
			b.Fatal(err)
		}
	}
}

const (
	goldenBlind  = "2838a95c14fa2e939ed0f00c1682df31"
	goldenDerive = "eb47f4da06702adcd4ce6f364827376145ce9995592d946cfda7c749650dec9f"
	goldenSealed = "00000001b853b57930cd83be199f34d06443c65edc8c3688829c4feb408347dc2bda7b7ae77149acee8263acaba08484b986e7dfe9655f7e80251cb3" +
		"d7f9b34359d617015fb31617dcec5a246b9f4945c3d8ada0fba7985139aeda8478d5300bb13195f475f6705385299739fa1a23c02650ec3ac6e99def" +
		"00814f7d9100365580d42a426fab2239190ce5bbf97c3fbb767f4c21554da7a5745224f6cc219c0a40c8985634e92e061d1c6932cc2fdc0a8ec0f717" +
		"434cdffa543594e1511e405d1c16f05aaaad53a2b927b751ca079fd91e91dbbe76b513a19310d52b84c32c32d3684b9b4cedaf4b860a0cba7b94a05c" +
		"e03840910194b9a5df49e7d4f8262690ebb88e12e9c7f0769ec29f8172d7a8cbf0fad183e64ffe682c8829b5f35e82b3946f9cb3fdc72ee673bcb758"
)
