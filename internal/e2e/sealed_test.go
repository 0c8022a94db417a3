package e2e

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/cockroachdb/pebble/v2" //nolint:depguard // whoever took the files reads them with what there is
	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/chacha20"

	"suar/internal/mattermosttest"
	"suar/internal/seal"
	"suar/internal/telegramtest"
	"suar/storage"
)

// TestServerCannotRead takes a server's image: the data folder, with and
// without the vault key, but never with an officer's key.
func TestServerCannotRead(t *testing.T) {
	t.Parallel()
	h := newHotline(t, mattermosttest.StandIn(t), nil)
	ctx := patient(t)
	h.telegram.SetNextUpdate(913_447_281)
	h.start()
	spoken, secrets := liveSealed(ctx, t, h)
	if err := h.telegram.Drained(ctx); err != nil {
		t.Fatal(err)
	}
	drained(ctx, t, h)
	h.stop()

	t.Run("without the vault key", func(t *testing.T) {
		needles := maps.Clone(spoken)
		maps.Copy(needles, secrets)
		for i := range sealedPeople {
			needles[fmt.Sprintf("chat id %d", i)] = fmt.Sprint(sealedChat + i)
		}
		for i := range 3 {
			needles[fmt.Sprintf("update id %d", i)] = fmt.Sprint(913_447_281 + i)
		}
		needles["name"], needles["user name"] = telegramtest.CanaryName, telegramtest.CanaryUsername
		needles["token"], needles["other token"] = h.telegram.Token, h.world.Bot.Token
		needles["passphrase"] = passphrase
		for name, content := range files(t, h.data) {
			absent(t, name, content, needles)
		}
	})

	t.Run("with the vault key", func(t *testing.T) {
		im := readImage(t, h.copyOfStore(), h.vaultKey)
		if im.states != sealedPeople || im.failed != 0 {
			t.Errorf("%d states opened and %d records did not; want %d and 0", im.states, im.failed, sealedPeople)
		}
		if im.items != 0 {
			t.Errorf("%d items are in the outbox, want none", im.items)
		}
		// What is known of the person is there: the vault key is a secret.
		if !holds(im.plain, fmt.Sprint(sealedChat)) {
			t.Error("the states hold no chat id: the test reads the wrong thing")
		}
		found := map[string]string{}
		for name, word := range spoken {
			if holds(im.plain, word) {
				found[name] = word
			}
		}
		// By design: a reply that waits for the person's contact rule must still
		// be sent, and the others can be opened and folded until their messages
		// are erased. What was typed for a question is kept only until it is
		// passed on.
		want := map[string]string{}
		for _, name := range repliesKept {
			want[name] = spoken[name]
		}
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("words that the vault opens (-want +got):\n%s", diff)
		}
		absent(t, "what the vault opens", im.plain, secrets)
		tryKeys(t, im)
	})

	t.Run("superseded bytes", func(t *testing.T) {
		// Sealed bytes of the outbox stay in the files until the store is
		// compacted: who has the vault key as well can carve them.
		path := h.copyOfStore()
		// The control: an item that nothing names.
		id := strings.Repeat("0c", 16)
		control := append([]byte(id), seal.NewVault(h.vaultKey).Seal("item", id, []byte("kenari-control"))...)
		if err := os.WriteFile(filepath.Join(path, "control"), control, 0o600); err != nil {
			t.Fatal(err)
		}
		before := h.carve(path)
		if !holds(before, "kenari-control") || !holds(before, fmt.Sprint(sealedChat)) {
			t.Fatal("carving finds neither what was laid out nor what is kept")
		}
		n := 0
		for name, word := range spoken {
			if !slices.Contains(repliesKept, name) && holds(before, word) {
				n++
			}
		}
		t.Logf("before compaction %d of %d things said can be carved with the vault key", n, len(spoken)-len(repliesKept))
		store, err := storage.OpenEmbedded(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(store.Compact(t.Context()), store.Close()); err != nil {
			t.Fatal(err)
		}
		after := h.carve(path)
		for name, word := range spoken {
			if !slices.Contains(repliesKept, name) && holds(after, word) {
				t.Errorf("after compaction the %s can still be carved", name)
			}
		}
		absent(t, "the store after compaction, carved,", after, secrets)
	})

	t.Run("with the officer's key", func(t *testing.T) {
		// The control: it is all there, for who may read it.
		raw, err := os.ReadFile(h.officer)
		if err != nil {
			t.Fatal(err)
		}
		ids, err := seal.Identities(raw, func() (string, error) { return passphrase, nil })
		if err != nil {
			t.Fatal(err)
		}
		im := readImage(t, h.copyOfStore(), h.vaultKey)
		var all bytes.Buffer
		for _, c := range im.cases {
			key, err := decrypt(c.header, ids...)
			if err != nil {
				t.Fatal(err)
			}
			caseKey, err := age.ParseIdentities(bytes.NewReader(key))
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range c.records {
				line, err := decrypt(r, caseKey...)
				if err != nil {
					t.Fatal(err)
				}
				all.Write(line)
			}
		}
		for name, word := range spoken {
			if name != "unfinished" && !holds(all.Bytes(), word) {
				t.Errorf("the transcripts have not the %s", name)
			}
		}
		absent(t, "a transcript", all.Bytes(), secrets)
	})
}

const (
	// sealedChat is the first of the chat ids: too long to appear by chance.
	sealedChat = 7_310_045_118
	// sealedPeople is how many come.
	sealedPeople = 5
)

// repliesKept are the replies whose messages are in the chats at the end.
var repliesKept = []string{"held reply", "closed reply", "open reply", "family reply"}

// liveSealed lets five people come: one whose case is closed, one whose is open
// and who has a check word, a phrase and a receipt code, one with replies that
// wait, family with a name that was typed, and one who leaves. It returns
// everything that was said, and the secrets, which not even an officer may read.
func liveSealed(ctx context.Context, t *testing.T, h *hotline) (spoken, secrets map[string]string) {
	t.Helper()
	spoken, secrets = map[string]string{}, map[string]string{}
	say := func(name string) string {
		spoken[name] = fmt.Sprintf("kenari%02dqzx", len(spoken))
		return spoken[name]
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w := h.world
	siti := w.Officers[0]
	client := w.Watch(siti)
	s := watch(t, w, w.Officers[1])
	callers := make([]*person, sealedPeople)
	for i := range callers {
		callers[i] = &person{Person: h.telegram.Person(sealedChat + int64(i))}
		callers[i].Start()
	}
	// talk lets an officer claim the case of the nth card and both say something.
	talk := func(p *person, n int, name string) *thread {
		th, err := s.nextRoot(ctx, n)
		must(err)
		text := say(name + " said")
		p.Say(text)
		_, err = th.hear(ctx, text)
		must(err)
		if status := w.PressID(siti, th.root.ID, "claim"); status != 200 {
			t.Fatalf("the press answers %d", status)
		}
		must(p.attended(ctx))
		text = say(name + " reply")
		post := w.Post(siti, th.root.ID, text)
		must(p.hear(ctx, text))
		marked(t, w, post.Id, "white_check_mark")
		note := w.Post(siti, th.root.ID, "// "+say(name+" note"))
		marked(t, w, note.Id, "lock")
		return th
	}

	closed := callers[0]
	must(closed.walk(ctx, danger...))
	th := talk(closed, 0, "closed")
	confirm(t, w, client, siti, func() int { return w.PressID(siti, th.root.ID, "close") })
	must(closed.hearKey(ctx, "ui.status.closed"))

	open := callers[1]
	must(open.walk(ctx, danger...))
	th = talk(open, 1, "open")
	must(open.walk(ctx, dangers...))
	secrets["check word"], secrets["danger phrase"] = "rahasia00qzx", "rahasia01qzx"
	must(open.keepSecret(ctx, "word_set", secrets["check word"]))
	must(open.keepSecret(ctx, "phrase_set", secrets["danger phrase"]))
	code, err := open.receipt(ctx)
	must(err)
	secrets["receipt code"], secrets["receipt code without spaces"] = code, strings.ReplaceAll(code, " ", "")
	// From now on what is said is compared with the word before it is relayed.
	text := say("open said later")
	open.Say(text)
	_, err = th.hear(ctx, text)
	must(err)

	// "No, I will write first": what comes after the person's last sign waits.
	held := callers[2]
	must(held.walk(ctx, slices.Concat(victim[:len(victim)-1], []string{"victim.contact.first"})...))
	th, err = s.nextRoot(ctx, 2)
	must(err)
	text = say("before held")
	held.Say(text)
	_, err = th.hear(ctx, text)
	must(err)
	waits := w.Post(siti, th.root.ID, say("held reply"))
	marked(t, w, waits.Id, "hourglass_flowing_sand")

	relative := callers[3]
	relative.types = say("typed name")
	must(relative.walk(ctx, family...))
	talk(relative, 3, "family")

	leaving := callers[4]
	must(leaving.walk(ctx, danger...))
	talk(leaving, 4, "leaving")
	must(leaving.step(ctx, "ui.leave@emergency.what"))
	must(leaving.empty(ctx))
	return spoken, secrets
}

// drained returns when the outbox is empty and nothing is leased any more: the
// cards show what has happened last.
func drained(ctx context.Context, t *testing.T, h *hotline) {
	t.Helper()
	// Nothing new happens, so that once no request has come for a while there
	// is nothing left to do; the next check is on the stopped store.
	quiet := 0
	last := len(h.telegram.Requests("")) + len(h.world.Dump())
	for quiet < 5 {
		select {
		case <-ctx.Done():
			t.Fatal("suar is never done")
		case <-time.After(100 * time.Millisecond):
		}
		now := len(h.telegram.Requests("")) + len(h.world.Dump())
		if now == last {
			quiet++
		} else {
			quiet, last = 0, now
		}
	}
}

// An image is what somebody reads of a store's files with Pebble and the vault
// key.
type image struct {
	plain                 []byte // everything that the vault opened
	states, items, failed int
	cases                 map[string]*sealedCase
	keys                  [][]byte // the keys and values that are not sealed
}

type sealedCase struct {
	header  []byte
	records [][]byte // the age files in them
}

// readImage opens every record of the store that the vault can open.
func readImage(t *testing.T, path string, key seal.VaultKey) image {
	t.Helper()
	vault := seal.NewVault(key)
	im := image{cases: map[string]*sealedCase{}}
	open := func(bucket, key string, sealed []byte) bool {
		plain, err := vault.Open(bucket, key, sealed)
		if err != nil {
			im.failed++
			return false
		}
		im.plain = append(append(im.plain, plain...), '\n')
		return true
	}
	// What is of a conversation is under 'c', its number and what it is, and what
	// is of a transcript is so under 'w'.
	kind := func(k []byte) string {
		if len(k) > 9 && (k[0] == 'c' || k[0] == 'w') {
			return string([]byte{k[0], k[9]})
		}
		return string(k[:1])
	}
	pairs := pairsOf(t, path)
	cases := map[string]string{} // by the transcripts' numbers
	for _, p := range pairs {
		if kind(p[0]) == "t" {
			cases[string(p[1])] = string(p[0][1:])
		}
	}
	for _, p := range pairs {
		k, v := p[0], p[1]
		switch kind(k) {
		case "cr":
			id, version, state := recordOf(t, v)
			switch id {
			case "vault":
				open("check", id, state)
			case "clock":
				open("clock", id, state)
			case "audit":
				open("audit head", id, state)
			default:
				if open("state", fmt.Sprintf("%s:%d", id, version), state) {
					im.states++
				}
			}
		case "o":
			at := hexID.FindIndex(v)
			rest := v[at[0]-1:] // its length comes before it
			end := 1 + int(rest[0])
			if open("item", string(rest[1:end]), rest[end:]) {
				im.items++
			}
		case "wh":
			if cases[string(k[1:9])] == "audit" {
				continue // The officers' trail is no case.
			}
			im.of(cases[string(k[1:9])]).header = v
		case "we":
			if cases[string(k[1:9])] == "audit" {
				open("audit", "audit", v)
				continue
			}
			c := im.of(cases[string(k[1:9])])
			// "HLE1", number, length, the age file, tag.
			c.records = append(c.records, v[4+8+4:len(v)-32])
		default:
			im.keys = append(im.keys, k, v)
		}
	}
	return im
}

// pairsOf returns all that is in a store: keys and what is under them.
func pairsOf(t *testing.T, path string) (pairs [][2][]byte) {
	t.Helper()
	db, err := pebble.Open(path, &pebble.Options{ReadOnly: true, Logger: unheard{t}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	it, err := db.NewIter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for ok := it.First(); ok; ok = it.Next() {
		pairs = append(pairs, [2][]byte{bytes.Clone(it.Key()), bytes.Clone(it.Value())})
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	return pairs
}

// unheard hears what Pebble says of its work.
type unheard struct{ t *testing.T }

func (unheard) Infof(string, ...any)          {}
func (unheard) Errorf(string, ...any)         {}
func (u unheard) Fatalf(how string, a ...any) { u.t.Errorf(how, a...) }

// recordOf reads a conversation's record: flags, version, up to two instants,
// its name, further names, marks of events, state.
func recordOf(t *testing.T, v []byte) (id string, version uint64, state []byte) {
	t.Helper()
	flags, rest := v[0], v[1:]
	number := func() uint64 {
		n, size := binary.Uvarint(rest)
		if size <= 0 {
			t.Fatal("a record is not as this test knows it")
		}
		rest = rest[size:]
		return n
	}
	short := func() string {
		end := 1 + int(rest[0])
		s := string(rest[1:end])
		rest = rest[end:]
		return s
	}
	version = number()
	for _, flag := range []byte{1, 2} {
		if flags&flag != 0 {
			rest = rest[12:]
		}
	}
	id = short()
	for range number() {
		short()
	}
	if marks := int(rest[0]); marks <= 64 {
		rest = rest[2*marks:]
	}
	return id, version, rest[1:]
}

func (im *image) of(name string) *sealedCase {
	if im.cases[name] == nil {
		im.cases[name] = &sealedCase{}
	}
	return im.cases[name]
}

var (
	hexID   = regexp.MustCompile(`[0-9a-f]{32}`)
	encoded = regexp.MustCompile(`[A-Za-z0-9+/_-]{22,}={0,2}`)
)

// tryKeys tries everything of an image that could be a key on every header and
// every record.
func tryKeys(t *testing.T, im image) {
	t.Helper()
	seeds := map[string]bool{}
	add := func(b []byte) {
		for i := 0; i+32 <= len(b); i++ {
			seeds[string(b[i:i+32])] = true
			if len(b) > 64 {
				break // A text, not a key.
			}
		}
	}
	for _, text := range append(im.keys, im.plain) {
		if len(text) == 32 {
			add(text)
		}
		for _, s := range encoded.FindAllString(string(text), -1) {
			for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.RawURLEncoding} {
				if b, err := enc.DecodeString(s); err == nil {
					add(b)
				}
			}
			if b, err := hex.DecodeString(s); err == nil {
				add(b)
			}
		}
	}
	if bytes.Contains(bytes.ToUpper(im.plain), []byte("AGE-SECRET-KEY")) {
		t.Error("the states hold a private key of age's")
	}
	if len(im.cases) != sealedPeople || len(seeds) < sealedPeople*2 {
		t.Fatalf("%d cases and %d keys to try: the test reads the wrong thing", len(im.cases), len(seeds))
	}
	var ids []age.Identity
	for seed := range seeds {
		if id, err := age.ParseX25519Identity(bech32("AGE-SECRET-KEY-", []byte(seed))); err == nil {
			ids = append(ids, id)
		}
		id, err := age.ParseHybridIdentity(bech32("AGE-SECRET-KEY-PQ-", []byte(seed)))
		if err != nil {
			t.Fatalf("the bytes are no private key: %v", err)
		}
		ids = append(ids, id)
	}
	records := 0
	for _, c := range im.cases {
		for _, sealed := range append(c.records, c.header) {
			records++
			if _, err := decrypt(sealed, ids...); err == nil {
				t.Error("a key that the server keeps opens a record")
			}
		}
	}
	t.Logf("tried %d private keys on %d records", len(ids), records)
}

func decrypt(sealed []byte, ids ...age.Identity) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), ids...)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// carve decrypts sealed items and states anywhere in the store's files, what is
// superseded included, and returns what comes of it, with some noise. What
// somebody reads in this way need not be authentic: it is decrypted without regard
// to what it was sealed for, and taken for a text where it is padded like one.
func (h *hotline) carve(path string) []byte {
	h.t.Helper()
	root, err := hex.DecodeString(strings.TrimSpace(string(h.read(filepath.Join(h.secrets, "vault")))))
	if err != nil {
		h.t.Fatal(err)
	}
	key, err := hkdf.Key(sha256.New, root, nil, "hl1 vault seal 1", chacha20.KeySize)
	if err != nil {
		h.t.Fatal(err)
	}
	const most = 4096
	epoch := []byte{0, 0, 0, 1}
	var found []byte
	for _, raw := range files(h.t, path) {
		for {
			at := bytes.Index(raw, epoch)
			if at < 0 || len(raw) < at+len(epoch)+chacha20.NonceSizeX {
				break
			}
			nonce := raw[at+len(epoch):][:chacha20.NonceSizeX]
			box := raw[at+len(epoch)+len(nonce):]
			stream, err := chacha20.NewUnauthenticatedCipher(key, nonce)
			if err != nil {
				h.t.Fatal(err)
			}
			stream.SetCounter(1) // The first block is the authenticator's.
			plain := make([]byte, min(most, len(box)))
			stream.XORKeyStream(plain, box[:len(plain)])
			for size := 256; size <= len(plain); size *= 2 {
				if text := bytes.TrimRight(plain[:size], "\x00"); bytes.HasSuffix(text, []byte{0x80}) {
					found = append(append(found, text[:len(text)-1]...), '\n')
				}
			}
			raw = raw[at+1:]
		}
	}
	return found
}

// bech32 writes bytes as age writes a private key; age's own is internal.
func bech32(hrp string, data []byte) string {
	const charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	hrp = strings.ToLower(hrp)
	var values []byte
	acc, bits := 0, 0
	for _, b := range data {
		acc, bits = (acc<<8|int(b))&0xffff, bits+8
		for bits >= 5 {
			bits -= 5
			values = append(values, byte(acc>>bits)&31)
		}
	}
	if bits > 0 {
		values = append(values, byte(acc<<(5-bits))&31)
	}
	var all []byte
	for _, c := range []byte(hrp) {
		all = append(all, c>>5)
	}
	all = append(all, 0)
	for _, c := range []byte(hrp) {
		all = append(all, c&31)
	}
	check := 1
	for _, v := range append(append(all, values...), 0, 0, 0, 0, 0, 0) {
		top := check >> 25
		check = (check&0x1ffffff)<<5 ^ int(v)
		for i, g := range []int{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				check ^= g
			}
		}
	}
	check ^= 1
	for i := range 6 {
		values = append(values, byte(check>>(5*(5-i)))&31)
	}
	text := []byte(hrp + "1")
	for _, v := range values {
		text = append(text, charset[v])
	}
	return strings.ToUpper(string(text))
}
