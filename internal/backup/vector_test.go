package backup_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"suar/internal/backup"
	"suar/storage"
)

var update = flag.Bool("update", false, "write the vector anew")

// TestBackupVector: a backup that the first version wrote is read by every later
// one, and what is written today has the same bytes.
func TestBackupVector(t *testing.T) {
	t.Parallel()
	const golden = "testdata/golden.backup"
	path, tally := save(t, &shelf{pieces: kept()})
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, written, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, written) {
		t.Error("the format changed: docs/formats.md must say so, and older backups must still be read")
	}
	f, err := backup.Open(t.Context(), golden)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []storage.Piece
	if err := f.Dump(t.Context(), func(p storage.Piece) error { got = append(got, p); return nil }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kept(), got); diff != "" {
		t.Errorf("the vector reads back otherwise (-want +got):\n%s", diff)
	}
	// The frame, as docs/formats.md has it.
	rest, ok := bytes.CutPrefix(want, []byte("suar backup\n\x00\x00\x00\x01"))
	if !ok || int64(binary.BigEndian.Uint64(rest)) != at(3).Unix() {
		t.Fatal("the head is another")
	}
	rest = rest[8:]
	pieces := uint64(0)
	for binary.BigEndian.Uint32(rest) > 0 {
		rest = rest[4+binary.BigEndian.Uint32(rest):]
		pieces++
	}
	sum := sha256.Sum256(want[:len(want)-sha256.Size])
	if pieces != 3 || len(rest) != 4+8+sha256.Size || binary.BigEndian.Uint64(rest[4:]) != pieces || !bytes.Equal(rest[12:], sum[:]) {
		t.Errorf("the end is another after %d pieces", pieces)
	}
	if tally.Digest == ([32]byte{}) {
		t.Error("it has no digest")
	}
}
