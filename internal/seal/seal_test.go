package seal

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
)

// canary is text that no printed, logged or stored thing may hold.
const canary = "CANARY-8f2c-tolong-saya"

// A desk is a roster with the private halves, for tests.
type desk struct {
	Recipients
	officer, second, recovery age.Identity
}

func newDesk(t testing.TB) desk {
	t.Helper()
	var d desk
	var file strings.Builder
	for _, who := range []struct {
		name string
		role Role
		id   *age.Identity
	}{{"siti", RoleOfficer, &d.officer}, {"budi", RoleOfficer, &d.second}, {"vault", RoleRecovery, &d.recovery}} {
		key, err := age.GenerateHybridIdentity()
		if err != nil {
			t.Fatal(err)
		}
		*who.id = key
		fmt.Fprintln(&file, Recipient{who.name, who.role, key.Recipient().String()})
	}
	var err error
	if d.Recipients, err = ParseRecipients([]byte(file.String())); err != nil {
		t.Fatal(err)
	}
	return d
}

var caseA = CaseID{0xca, 0x5e, 0x0a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}

var atNoon = time.Date(2026, 11, 23, 12, 47, 31, 5, time.FixedZone("WIB", 7*3600))

// A case of some entries, as the server leaves it.
type sealedCase struct {
	tape    Tape
	tapes   []Tape // tapes[i] has written i records
	header  []byte
	records [][]byte
}

func writeCase(t testing.TB, id CaseID, to Recipients, entries ...Entry) sealedCase {
	t.Helper()
	tape, header, err := NewTape(id, to, atNoon, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := sealedCase{tape: tape, tapes: []Tape{tape}, header: header}
	for _, e := range entries {
		var records [][]byte
		if c.tape, records, err = c.tape.Append(e); err != nil {
			t.Fatal(err)
		}
		c.records = append(c.records, records...)
		for range records {
			c.tapes = append(c.tapes, c.tape)
		}
	}
	return c
}

// lines are n entries of the person's.
func lines(n int) []Entry {
	out := make([]Entry, n)
	for i := range out {
		out[i] = Entry{At: atNoon.Add(time.Duration(i) * time.Minute), From: "person", Kind: "said", Text: fmt.Sprintf("%s %d", canary, i+1)}
	}
	return out
}

func clone(records [][]byte) [][]byte {
	out := make([][]byte, len(records))
	for i, r := range records {
		out[i] = bytes.Clone(r)
	}
	return out
}
