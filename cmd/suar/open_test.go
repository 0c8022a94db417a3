package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/internal/backup"
	"suar/internal/seal"
	"suar/storage"
)

// A keptCase is a case in a store that nobody holds, and what opens it.
type keptCase struct {
	store, key, code, witness string
	id                        seal.CaseID
}

// keep makes a case of two lines, and another one beside it.
func keep(t *testing.T) keptCase {
	t.Helper()
	t.Setenv(passphraseFileVariable, writeFile(t, "passphrase", testPassphrase))
	key, line := newKey(t, "siti", "officer")
	officers, err := seal.ParseRecipients([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	k := keptCase{store: filepath.Join(t.TempDir(), "store"), key: key, id: seal.CaseID{0xca, 0x5e, 0x0a, 1, 2, 3}}
	k.code = k.id.Code()
	store, err := storage.OpenEmbedded(k.store)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 5, 47, 0, 0, time.UTC)
	for i, id := range []seal.CaseID{k.id, {0xca, 0x5f}, {0xaa, 1, 1, 1, 1, 1}, {0xaa, 1, 1, 1, 1, 2}} {
		tape, header, err := seal.NewTape(id, officers, at, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := storage.Commit{ID: id.String(), At: at, State: []byte("x"), Transcript: id.String(), Header: header}
		for _, e := range []seal.Entry{{At: at, From: "person", Kind: "said", Text: "tolong \x1b[2J"}, {At: at, From: "officer:Siti", Kind: "replied", Text: "kami datang"}} {
			next, records, err := tape.Append(e)
			if err != nil {
				t.Fatal(err)
			}
			tape, c.Entries = next, append(c.Entries, records...)
		}
		if err := store.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			k.witness = tape.Witness()
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestOpen(t *testing.T) {
	k := keep(t)
	code, out, errOut := command(t, "open", k.code, "--store", k.store, "-i", k.key, "--witness", k.witness)
	if code != exitOK || errOut != "" {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	for _, want := range []string{
		"Case " + k.code, "#1  2026-11-23 05h  person (said)\n    tolong <U+001B>[2J\n", "#2  2026-11-23 05h  officer:Siti (replied)\n    kami datang\n",
		"Verified: all 2 records", "The witness " + k.witness + " fits",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	for _, args := range [][]string{{strings.ToLower(strings.ReplaceAll(k.code, "-", " "))}, {k.code[:4], k.code[5:]}, {k.id.String()}} {
		code, again, errOut := command(t, append(append([]string{"open"}, args...), "--store", k.store, "-i", k.key, "--witness", k.witness)...)
		if code != exitOK || again != out {
			t.Errorf("%q: exit code %d: %s", args, code, errOut)
		}
	}
	code, out, errOut = command(t, "open", k.code, "--store", k.store, "-i", k.key, "--witness", k.witness, "--format", "html")
	if code != exitOK || !strings.HasPrefix(out, "<!doctype html>") || !strings.Contains(out, "kami datang") || !strings.Contains(out, "The witness "+k.witness+" fits") {
		t.Errorf("HTML: exit code %d: %s%s", code, out, errOut)
	}
	code, out, errOut = command(t, "open", k.code, "--store", k.store, "-i", k.key, "--format", "json")
	var doc struct {
		Code    string
		Proven  int
		Entries []struct{ Text string }
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != exitOK {
		t.Fatalf("JSON: exit code %d, %v: %s", code, err, errOut)
	}
	if doc.Code != k.code || doc.Proven != 2 || doc.Entries[0].Text != "tolong \x1b[2J" || strings.Contains(out, "\x1b") {
		t.Errorf("got %s", out)
	}
}

// A backup is as good as the store that it was made of.
func TestOpenBackup(t *testing.T) {
	k := keep(t)
	store, err := storage.ReadEmbedded(k.store)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.backup")
	if _, err := backup.Save(t.Context(), file, time.Now(), store); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	_, fromStore, _ := command(t, "open", k.code, "--store", k.store, "-i", k.key, "--witness", k.witness)
	code, out, errOut := command(t, "open", k.code, "--backup", file, "-i", k.key, "--witness", k.witness)
	if code != exitOK || out != fromStore || out == "" {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"0000-0000", "--backup", file}, "there is no case"},
		{[]string{k.code, "--backup", file + "x"}, "no such file or directory; --backup wants"},
		{[]string{k.code, "--backup", filepath.Join(k.store, "SUAR")}, "is no backup of suar"},
		{[]string{k.code, "--backup", file, "--store", k.store}, "one of the three"},
	} {
		if code, _, errOut := command(t, append(append([]string{"open"}, tt.args...), "-i", k.key)...); code != exitRefused || !strings.Contains(errOut, tt.want) {
			t.Errorf("%q: exit code %d: %s", tt.args, code, errOut)
		}
	}
}

// The operator exports without a key; the officer opens without the store.
func TestOpenExported(t *testing.T) {
	k := keep(t)
	dir := filepath.Join(t.TempDir(), "case")
	code, out, errOut := command(t, "open", k.code, "--store", k.store, "--export", dir)
	if code != exitOK || out != "" || !strings.Contains(errOut, dir) {
		t.Fatalf("exit code %d: %s%s", code, out, errOut)
	}
	_, fromStore, _ := command(t, "open", k.code, "--store", k.store, "-i", k.key)
	for _, args := range [][]string{{}, {k.code}} {
		code, out, errOut := command(t, append(append([]string{"open"}, args...), "--folder", dir, "-i", k.key)...)
		if code != exitOK || out != fromStore {
			t.Errorf("%q: exit code %d: %s%s", args, code, out, errOut)
		}
	}
	if code, _, errOut := command(t, "open", k.code, "--store", k.store, "--export", dir); code != exitRefused || !strings.Contains(errOut, "exists") {
		t.Errorf("exporting over a folder: exit code %d: %s", code, errOut)
	}
	if code, _, errOut := command(t, "open", "0000-0000", "--folder", dir, "-i", k.key); code != exitRefused || !strings.Contains(errOut, "holds case "+k.code) {
		t.Errorf("another case: exit code %d: %s", code, errOut)
	}
}

// What is not proven is still shown, and the exit code says so.
func TestOpenTampered(t *testing.T) {
	k := keep(t)
	dir := filepath.Join(t.TempDir(), "case")
	if code, _, errOut := command(t, "open", k.code, "--store", k.store, "--export", dir); code != exitOK {
		t.Fatal(errOut)
	}
	if err := os.Remove(filepath.Join(dir, "00000001.age")); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := command(t, "open", "--folder", dir, "-i", k.key)
	if code != exitFailed || !strings.Contains(out, "kami datang") || !strings.Contains(out, "NOT VERIFIED") || !strings.Contains(errOut, "not whole") {
		t.Errorf("a missing record: exit code %d\n%s%s", code, out, errOut)
	}
	chain, err := os.ReadFile(filepath.Join(dir, "CHAIN"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(chain), "\n")
	if err := os.WriteFile(filepath.Join(dir, "CHAIN"), []byte(first+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := command(t, "open", "--folder", dir, "-i", k.key); code != exitOK {
		t.Errorf("a cut end without a witness: exit code %d: %s", code, errOut)
	}
	code, out, errOut = command(t, "open", "--folder", dir, "-i", k.key, "--witness", k.witness)
	if code != exitFailed || !strings.Contains(out, "does NOT fit") || !strings.Contains(errOut, "2 records were witnessed, 0 are here") {
		t.Errorf("a cut end with a witness: exit code %d\n%s%s", code, out, errOut)
	}
}

// TestOpenChangesNothing: neither the store's bytes nor what is beside it, be the
// case there or not.
func TestOpenChangesNothing(t *testing.T) {
	k := keep(t)
	folder := filepath.Dir(k.store)
	for name, file := range map[string]string{"damaged.db": strings.Repeat("tolong", 2000), "empty.db": ""} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(folder, "nothing.db"), filepath.Join(folder, "dangling.db")); err != nil {
		t.Fatal(err)
	}
	before := snapshot(t, folder)
	for _, try := range []struct {
		args []string
		code int
	}{
		{[]string{k.code, "--store", k.store}, exitOK},
		{[]string{"ZZZZ-ZZZZ", "--store", k.store}, exitRefused},
		{[]string{k.code, "--store", filepath.Join(folder, "damaged.db")}, exitRefused},
		{[]string{k.code, "--store", filepath.Join(folder, "empty.db")}, exitRefused},
		{[]string{k.code, "--store", filepath.Join(folder, "dangling.db")}, exitRefused},
		{[]string{k.code, "--store", filepath.Join(folder, "not", "there.db")}, exitRefused},
	} {
		if code, _, errOut := command(t, append(append([]string{"open"}, try.args...), "-i", k.key)...); code != try.code {
			t.Errorf("%q: exit code %d: %s", try.args, code, errOut)
		}
		if diff := cmp.Diff(before, snapshot(t, folder)); diff != "" {
			t.Errorf("%q changed the folder (-before +after):\n%s", try.args, diff)
		}
	}
}

// A found is a file as it was found.
type found struct {
	Sum   [32]byte
	Mode  os.FileMode
	Wrote time.Time
}

// snapshot is what is in a folder.
func snapshot(t *testing.T, folder string) map[string]found {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]found{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		f := found{Mode: info.Mode(), Wrote: info.ModTime()}
		if info.Mode().IsRegular() {
			raw, err := os.ReadFile(filepath.Join(folder, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			f.Sum = sha256.Sum256(raw)
		}
		all[e.Name()] = f
	}
	return all
}

func TestOpenRefuses(t *testing.T) {
	k := keep(t)
	other, _ := newKey(t, "budi", "officer")
	for name, try := range map[string]struct {
		args []string
		want string
	}{
		"no key":              {[]string{k.code, "--store", k.store}, "-i"},
		"no code":             {[]string{"--store", k.store, "-i", k.key}, "code of the case"},
		"no store":            {[]string{k.code, "-i", k.key}, "--folder"},
		"both":                {[]string{k.code, "--store", k.store, "--folder", "x", "-i", k.key}, "one of the three"},
		"a format":            {[]string{k.code, "--store", k.store, "-i", k.key, "--format", "xml"}, "--format"},
		"a witness":           {[]string{k.code, "--store", k.store, "-i", k.key, "--witness", "12"}, "#12·0a1b2c3d4e5f6071"},
		"a short witness":     {[]string{k.code, "--store", k.store, "-i", k.key, "--witness", k.witness[:len(k.witness)-1]}, "15 digits"},
		"a code":              {[]string{"tolong", "--store", k.store, "-i", k.key}, "case code"},
		"no such case":        {[]string{"ZZZZ-ZZZZ", "--store", k.store, "-i", k.key}, "no case ZZZZ-ZZZZ"},
		"two cases":           {[]string{seal.CaseID{0xaa, 1, 1, 1, 1}.Code(), "--store", k.store, "-i", k.key}, "more than one case"},
		"another's key":       {[]string{k.code, "--store", k.store, "-i", other}, "sealed to others"},
		"no key file":         {[]string{k.code, "--store", k.store, "-i", k.key + "x"}, "want the key file that suar keys new wrote"},
		"another file":        {[]string{k.code, "--store", k.store, "-i", writeFile(t, "x", "tolong")}, "key file"},
		"wrong passphrase":    {[]string{k.code, "--store", k.store, "-i", k.key, "--passphrase-file", writeFile(t, "p", "salah sekali semua")}, "wrong passphrase"},
		"no store there":      {[]string{k.code, "--store", k.store + "x", "-i", k.key}, "no such file or directory; --store wants a copy of the store"},
		"a folder as a store": {[]string{k.code, "--store", t.TempDir(), "-i", k.key}, "--folder"},
		"not a store":         {[]string{k.code, "--store", writeFile(t, "db", strings.Repeat("tolong", 2000)), "-i", k.key}, "is not a folder"},
		"not a folder":        {[]string{"--folder", t.TempDir(), "-i", k.key}, "not an exported case"},
	} {
		code, out, errOut := command(t, append([]string{"open"}, try.args...)...)
		if code != exitRefused || !strings.Contains(errOut, try.want) || out != "" {
			t.Errorf("%s: exit code %d\n%s%s", name, code, out, errOut)
		}
		if strings.Contains(errOut, "seal: ") || strings.Contains(errOut, "storage: ") {
			t.Errorf("%s: the names of parts are shown: %s", name, errOut)
		}
	}
	if _, err := os.Stat(k.store + "x"); err == nil {
		t.Error("a store was made where there was none")
	}
}

// A store that a server holds is not waited for.
func TestOpenWhileServing(t *testing.T) {
	k := keep(t)
	store, err := storage.OpenEmbedded(k.store)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	code, _, errOut := command(t, "open", k.code, "--store", k.store, "-i", k.key)
	if code != exitRefused || !strings.Contains(errOut, "another process holds the store") || !strings.Contains(errOut, "--folder") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}
