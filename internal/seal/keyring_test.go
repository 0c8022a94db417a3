package seal

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/chacha20poly1305"
)

const rootText = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"

func parsedKey(t testing.TB, text string) VaultKey {
	t.Helper()
	k, err := ParseVaultKey([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// rotated adds an epoch to the key and seals with it.
func rotated(t testing.TB, k VaultKey) VaultKey {
	t.Helper()
	more, epoch, err := k.WithEpoch(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	next, err := more.SealWith(epoch)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// A key rotates in two steps, so that every process can know it before one of
// them seals with it, and what was sealed before opens until its epoch is dropped.
func TestRotation(t *testing.T) {
	first := parsedKey(t, rootText)
	v, other := NewVault(first), NewVault(first)
	old := v.Seal("state", "c1", []byte("lama"))
	lasting := v.SealLasting("audit", "a1", []byte("jejak"))
	name, derived := v.Blind("name", "x"), v.Derive("buttons")

	staged, epoch, err := first.WithEpoch(rand.Reader)
	if err != nil || epoch != 2 {
		t.Fatalf("epoch %d, %v", epoch, err)
	}
	if err := v.Take(staged); err != nil || v.Epoch() != 1 {
		t.Fatalf("staged: epoch %d, %v", v.Epoch(), err)
	}
	used, err := staged.SealWith(2)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Take(used); err != nil || v.Epoch() != 2 {
		t.Fatalf("used: epoch %d, %v", v.Epoch(), err)
	}
	sealed := v.Seal("state", "c1", []byte("baru"))
	if SealedIn(old) != 1 || SealedIn(sealed) != 2 || SealedIn(nil) != 0 {
		t.Errorf("sealed in %d and %d", SealedIn(old), SealedIn(sealed))
	}
	for _, b := range [][]byte{old, sealed} {
		if _, err := v.Open("state", "c1", b); err != nil {
			t.Errorf("epoch %d: %v", SealedIn(b), err)
		}
	}
	// Who has not got the new key is told that it will pass, who has dropped the old that it will not.
	if _, err := other.Open("state", "c1", sealed); !errors.Is(err, ErrNewerEpoch) || !errors.Is(err, ErrEpoch) {
		t.Errorf("a process without the new key: %v", err)
	}
	dropped, err := used.Without(1)
	if err != nil {
		t.Fatal(err)
	}
	late := NewVault(parsedKey(t, string(dropped.File())))
	if _, err := late.Open("state", "c1", old); !errors.Is(err, ErrEpoch) || errors.Is(err, ErrNewerEpoch) {
		t.Errorf("an epoch that was dropped: %v", err)
	}
	if got, err := late.Open("state", "c1", sealed); err != nil || string(got) != "baru" {
		t.Errorf("the present epoch: %q, %v", got, err)
	}
	if got, err := late.Open("audit", "a1", lasting); err != nil || string(got) != "jejak" || SealedIn(lasting) != 0 {
		t.Errorf("what lasts: %q, %v", got, err)
	}
	if _, err := late.Open("audit", "a1", append([]byte{0, 0, 0, 2}, lasting[4:]...)); !errors.Is(err, ErrSealed) {
		t.Errorf("what lasts, relabelled: %v", err)
	}
	if late.Blind("name", "x") != name || !bytes.Equal(late.Derive("buttons"), derived) {
		t.Error("a name in the store is another after a rotation")
	}
	if strings.Contains(string(dropped.File()), rootText) || strings.Contains(string(dropped.File()), "epoch 1 ") {
		t.Error("the root or the dropped key is still in the keyring")
	}
	// A sealed text moved into another epoch does not open.
	moved := append(binary.BigEndian.AppendUint32(nil, 2), old[4:]...)
	if _, err := v.Open("state", "c1", moved); !errors.Is(err, ErrSealed) {
		t.Errorf("relabelled: %v", err)
	}
	if err := v.Take(parsedKey(t, strings.Replace(rootText, "01", "ff", 1))); !errors.Is(err, ErrOtherKeyring) || v.Epoch() != 2 {
		t.Errorf("another store's keyring: %v", err)
	}
	for what, err := range map[string]error{
		"drop the present":  second(used.Without(2)),
		"drop a later one":  second(staged.Without(2)),
		"drop none":         second(used.Without(9)),
		"seal with none":    second(used.SealWith(9)),
		"seal with earlier": second(used.SealWith(1)),
	} {
		if err == nil {
			t.Errorf("%s: allowed", what)
		}
	}
}

func second(_ VaultKey, err error) error { return err }

// While a keyring is taken over, whatever is sealed opens again.
func TestTakeWhileSealing(t *testing.T) {
	key := parsedKey(t, rootText)
	v := NewVault(key)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				place := fmt.Sprint(i, ":", n)
				got, err := v.Open("state", place, v.Seal("state", place, []byte(place)))
				if err != nil || string(got) != place {
					t.Errorf("%q, %v", got, err)
					return
				}
			}
		})
	}
	for range 50 {
		key = rotated(t, key)
		if err := v.Take(key); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
	if v.Epoch() != 51 {
		t.Errorf("epoch %d", v.Epoch())
	}
}

func TestParseKeyring(t *testing.T) {
	good := string(rotated(t, parsedKey(t, rootText)).File())
	k := parsedKey(t, "\n"+strings.Replace(good, "seal", "# a note\n\nseal", 1)+"\n")
	if all, seals := k.Epochs(); !cmp.Equal(all, []uint32{1, 2}) || seals != 2 || string(k.File()) != good {
		t.Errorf("epochs %v, seals %d", all, seals)
	}
	lines := strings.SplitAfter(good, "\n") // name, index, derive, seal, epoch 1, epoch 2
	join := func(order ...int) string {
		var b strings.Builder
		for _, i := range order {
			b.WriteString(lines[i])
		}
		return b.String()
	}
	for text, want := range map[string]string{
		strings.Replace(good, "ring 1", "ring 2", 1):       "line 1",
		join(0, 1, 3, 4, 5):                                "index or derive is missing",
		join(0, 1, 2, 4, 5):                                "the line seal",
		join(0, 1, 2, 3, 4):                                "the line seal",
		join(0, 1, 2, 3, 3, 4, 5):                          "line 5: seal is there twice",
		join(0, 1, 1, 2, 3, 4, 5):                          "line 3: index: this key is there twice",
		join(0, 1, 2, 3, 5, 4):                             "line 6: epoch: the numbers must rise",
		join(0, 1, 2, 3, 4, 4, 5):                          "line 6: epoch: this key is there twice",
		strings.Replace(good, "epoch 1", "epoch 0", 1):     "line 5: epoch: want the number",
		strings.Replace(good, "epoch 1", "epoch", 1):       "line 5: epoch: want 3 words",
		strings.Replace(good, "epoch 1", "epoche 1", 1):    "line 5: want index, derive, seal or epoch",
		lines[0] + "index " + strings.Repeat("00", 32):     "line 2: index: want a key",
		good + "epoch 3 " + good[len(good)-64:len(good)-1]: "line 7: epoch: want a key",
	} {
		_, err := ParseVaultKey([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if err != nil && strings.Contains(err.Error(), good[len(good)-30:len(good)-1]) {
			t.Errorf("the error holds a key: %v", err)
		}
	}
}

// What is read as a keyring is written back as one that reads the same, and opens
// what it seals.
func FuzzParseKeyring(f *testing.F) {
	f.Add(string(parsedKey(f, rootText).File()))
	f.Add(string(rotated(f, parsedKey(f, rootText)).File()))
	f.Add("suar keyring 1\nindex 00\n")
	f.Add(rootText)
	f.Fuzz(func(t *testing.T, text string) {
		key, err := ParseVaultKey([]byte(text))
		if err != nil {
			return
		}
		again, err := ParseVaultKey(key.File())
		if err != nil || !bytes.Equal(key.File(), again.File()) {
			t.Fatalf("written back: %v", err)
		}
		v := NewVault(key)
		if got, err := NewVault(again).Open("b", "k", v.Seal("b", "k", []byte(text))); err != nil || string(got) != text {
			t.Errorf("sealed and opened: %v", err)
		}
	})
}

// vaultVectors is what docs/formats.md says of the vault, in values.
type vaultVectors struct {
	Root    string        `json:"root"`
	Keyring string        `json:"keyring"`
	Index   string        `json:"k_index"`
	Derive  string        `json:"k_derive"`
	Sealed  []vaultVector `json:"sealed"`
	Blind   string        `json:"blind_of_space_conversation_name_tg_100000001"`
	Derived string        `json:"derived_of_label_mattermost_buttons"`
}

type vaultVector struct {
	Epoch  uint32 `json:"epoch"`
	Key    string `json:"k_epoch"`
	Bucket string `json:"bucket"`
	Place  string `json:"key"`
	Plain  string `json:"plain"`
	Bytes  string `json:"sealed"`
}

// TestVaultVectors makes the vectors again from the same randomness, and computes
// them as another program would from the description.
func TestVaultVectors(t *testing.T) {
	const golden = "testdata/vault.json"
	cryptotest.SetGlobalRandom(t, 1)
	root := parsedKey(t, rootText)
	next := rotated(t, root)
	ring := next.ring()
	w := vaultVectors{
		Root: rootText, Keyring: string(next.File()),
		Index: hex.EncodeToString(ring.index), Derive: hex.EncodeToString(ring.derive),
		Blind:   NewVault(next).Blind("conversation", "tg:100000001"),
		Derived: hex.EncodeToString(NewVault(next).Derive("mattermost buttons")),
	}
	for i, k := range []VaultKey{root, next} {
		v := vaultVector{Epoch: uint32(i) + 1, Key: hex.EncodeToString(ring.epochs[i].key), Bucket: "state", Place: "00112233445566778899aabbccddeeff:7", Plain: strings.Repeat("tolong ", 40*i) + "!"}
		v.Bytes = hex.EncodeToString(NewVault(k).Seal(v.Bucket, v.Place, []byte(v.Plain)))
		w.Sealed = append(w.Sealed, v)
	}
	written, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	written = append(written, '\n')
	if *update {
		if err := os.WriteFile(golden, written, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), string(written)); diff != "" {
		t.Errorf("(-golden +written):\n%s", diff)
	}

	var v vaultVectors
	if err := json.Unmarshal(kept, &v); err != nil {
		t.Fatal(err)
	}
	derive := func(label string) []byte {
		k, err := hkdf.Key(sha256.New, mustHex(v.Root), nil, label, 32)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	equal(t, "K_index", derive("hl1 vault index"), v.Index)
	equal(t, "K_derive", derive("hl1 vault derive"), v.Derive)
	equal(t, "K_1", derive("hl1 vault seal 1"), v.Sealed[0].Key)
	equal(t, "blind", hmacBytes(mustHex(v.Index), []byte("conversation\x00tg:100000001"))[:16], v.Blind)
	m := hmac.New(sha256.New, mustHex(v.Derive))
	m.Write([]byte("mattermost buttons\x01"))
	equal(t, "derived", m.Sum(nil), v.Derived)
	for _, s := range v.Sealed {
		b := mustHex(s.Bytes)
		aead, err := chacha20poly1305.NewX(mustHex(s.Key))
		if err != nil {
			t.Fatal(err)
		}
		place := binary.BigEndian.AppendUint32([]byte("hl1"+s.Bucket+"\x00"+s.Place), s.Epoch)
		padded, err := aead.Open(nil, b[4:28], b[28:], place)
		if err != nil || binary.BigEndian.Uint32(b) != s.Epoch {
			t.Fatalf("epoch %d: %v", s.Epoch, err)
		}
		plain := bytes.TrimRight(padded, "\x00")
		if string(plain) != s.Plain+"\x80" || len(padded) != 256<<(s.Epoch-1) {
			t.Errorf("epoch %d: %d bytes, %q", s.Epoch, len(padded), plain)
		}
	}
}
