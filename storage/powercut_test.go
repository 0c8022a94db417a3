package storage_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"suar/storage"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// TestPowerCut cuts the power within each of a row of commits. It takes bbolt
// at its word that it writes data, syncs, writes a meta page, syncs: before the
// first sync any part of the data may have reached the disk, before the second
// any part of the meta page. It does not observe the syncs themselves.
func TestPowerCut(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	images := commitImages(t, 25)
	path := filepath.Join(t.TempDir(), "store")
	var older, newer int
	for v := 1; v < len(images); v++ {
		before, after := images[v-1], images[v]
		for range 4 {
			writeImage(t, path, partly(random, before, after, 2*page, len(after)))
			if got := versionIn(t, path, uint64(v)); got != uint64(v) {
				t.Errorf("cut in the data of commit %d: the store is at version %d", v+1, got)
			}
			written := append(bytes.Clone(before[:2*page]), after[2*page:]...)
			writeImage(t, path, partly(random, written, after, 0, 2*page))
			switch got := versionIn(t, path, uint64(v)); got {
			case uint64(v):
				older++
			case uint64(v) + 1:
				newer++
			default:
				t.Errorf("cut in the meta page of commit %d: the store is at version %d", v+1, got)
			}
		}
	}
	if older == 0 || newer == 0 {
		t.Errorf("%d cuts before and %d after the meta page counted: the test shows nothing", older, newer)
	}
	t.Logf("%d cuts in data, %d in meta pages", 4*(len(images)-1), older+newer)
}

// TestPowerCutFinds is the counter-check: a disk that writes the meta page
// before the data, as without the first sync, is found out.
func TestPowerCutFinds(t *testing.T) {
	images := commitImages(t, 10)
	path := filepath.Join(t.TempDir(), "store")
	var found int
	for v := 1; v < len(images); v++ {
		early := append(bytes.Clone(images[v][:2*page]), images[v-1][2*page:]...)
		writeImage(t, path, early)
		s, err := storage.OpenBolt(path)
		if err != nil {
			found++
			continue
		}
		said, err := s.Transcript(t.Context(), "writer")
		if err != nil || len(said.Entries) != v+1 {
			found++
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if found < len(images)/2 {
		t.Errorf("found out %d times of %d", found, len(images)-1)
	}
}

// commitImages makes n commits and returns the file as it was on the disk after
// each of them.
func commitImages(t *testing.T, n int) [][]byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "source")
	s := openBolt(t, path)
	var images [][]byte
	for v := range uint64(n) {
		if err := s.Commit(t.Context(), crashCommit("writer", v)); err != nil {
			t.Fatal(err)
		}
		file := readFile(t, path)
		images = append(images, bytes.TrimRight(file, "\x00"))
	}
	longest := 0
	for _, image := range images {
		longest = max(longest, len(image))
	}
	for i, image := range images {
		// Some room behind, so that no file is cut.
		images[i] = append(image, make([]byte, longest+64*page-len(image))...)
	}
	return images
}

// partly returns before with a random part of the sectors from start to end as
// they are in after.
func partly(random *rand.Rand, before, after []byte, start, end int) []byte {
	image := bytes.Clone(before)
	share := random.Float64()
	for at := start; at < end; at += sector {
		if random.Float64() < share {
			copy(image[at:min(at+sector, end)], after[at:])
		}
	}
	return image
}

func writeImage(t *testing.T, path string, image []byte) {
	t.Helper()
	if err := os.WriteFile(path, image, 0o600); err != nil {
		t.Fatal(err)
	}
}

// versionIn checks that the store has at least the acknowledged version, whole,
// and returns the one it has. Then the store goes on.
func versionIn(t *testing.T, path string, acknowledged uint64) uint64 {
	t.Helper()
	checkCrashed(t, path, map[string]uint64{"writer": acknowledged})
	s, err := storage.OpenBolt(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Load(t.Context(), "writer")
	if err = errors.Join(err, s.Commit(t.Context(), crashCommit("writer", r.Version)), s.Close()); err != nil {
		t.Fatal(err)
	}
	return r.Version
}
