package storage_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"suar/storage"
)

// The child's conversations. Each commit of one adds an entry, an event and a
// name, and the deliverer's turn about an item and its acknowledgement, so that
// all that a version must have come with can be told from the version.
const (
	crashWriters = 4
	deliverer    = "deliverer"
)

var crashStart = time.Date(2031, time.March, 14, 12, 0, 0, 0, time.UTC)

func crashCommit(id string, version uint64) storage.Commit {
	n := version + 1
	return storage.Commit{
		ID: id, Version: version, Events: []string{fmt.Sprint("event ", n)}, At: crashStart,
		State: fmt.Appendf(nil, "state %d of %s", n, id),
		Names: []string{fmt.Sprint("name ", n, " of ", id)},
		Alarm: crashStart.Add(time.Duration(n)),
		// Of the size of a sealed entry.
		Transcript: id, Entries: [][]byte{fmt.Appendf(nil, "entry %d of %-2000s", n, id)},
	}
}

// child is what happens in the other process.
func child(what, path string) error {
	store, err := storage.OpenEmbedded(path)
	if err != nil {
		return err
	}
	if what == "full" {
		// A write beyond the limit is then EFBIG, as a full disk is ENOSPC.
		signal.Ignore(syscall.SIGXFSZ)
	}
	var limit sync.Once
	acknowledged := func(id string, version uint64) {
		if what == "full" && version == 5 {
			limit.Do(func() { limitFiles(100 << 10) })
		}
		// One write, so that a line is there or not.
		fmt.Fprintf(os.Stdout, "%s %d\n", id, version)
	}
	ctx := context.Background()
	if err := store.Commit(ctx, storage.Commit{ID: "early", State: []byte("x")}); err != nil && !errors.Is(err, storage.ErrConflict) {
		return err
	}
	errs := make(chan error)
	if what == "compact" {
		go func() {
			for {
				if err := store.Compact(ctx); err != nil {
					errs <- err
				}
			}
		}()
	}
	for i := range crashWriters {
		go func() { errs <- keepCommitting(ctx, store, fmt.Sprint("writer", i), acknowledged) }()
	}
	go func() { errs <- keepDelivering(ctx, store, acknowledged) }()
	for range crashWriters + 1 {
		if err := <-errs; !errors.Is(err, storage.ErrFailed) {
			return err
		}
	}
	<-store.Failed()
	err = store.Commit(ctx, crashCommit("late", 0))
	if !errors.Is(err, storage.ErrFailed) {
		return fmt.Errorf("a commit after the failure: %w", err)
	}
	if _, readErr := store.Load(ctx, "early"); readErr != nil {
		return fmt.Errorf("a read after the failure: %w", readErr)
	}
	fmt.Println("failed:", err)
	return store.Close()
}

func limitFiles(bytes uint64) {
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: bytes}); err != nil {
		panic(err)
	}
}

func keepCommitting(ctx context.Context, s storage.Store, id string, acknowledged func(string, uint64)) error {
	for {
		r, err := s.Load(ctx, id)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		if err := s.Commit(ctx, crashCommit(id, r.Version)); err != nil {
			return err
		}
		acknowledged(id, r.Version+1)
	}
}

// keepDelivering adds an item with every odd version and acknowledges it with
// the even one that follows.
func keepDelivering(ctx context.Context, s storage.Store, acknowledged func(string, uint64)) error {
	for {
		r, err := s.Load(ctx, deliverer)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
		c := crashCommit(deliverer, r.Version)
		if r.Version%2 == 0 {
			c.Items = []storage.Item{{ID: fmt.Sprint("item ", r.Version+1), Lane: storage.LaneOfficers, Body: []byte("body")}}
		} else {
			leased, err := s.Lease(ctx, storage.LaneOfficers, 1, crashStart, crashStart)
			if err != nil {
				return err
			}
			if len(leased) != 1 || leased[0].Item != fmt.Sprint("item ", r.Version) {
				return fmt.Errorf("at version %d leased %+v", r.Version, leased)
			}
			c.Ack = &leased[0].Lease
		}
		if err := s.Commit(ctx, c); err != nil {
			return err
		}
		acknowledged(deliverer, r.Version+1)
	}
}

// runChild runs the test binary as a child on the file. It kills the child when
// it has acknowledged kill commits, if that is not 0, and adds the highest
// version of each conversation to acknowledged. It returns the other lines.
func runChild(t *testing.T, what, path string, kill int, acknowledged map[string]uint64) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], path)
	cmd.Env = append(os.Environ(), childEnv+"="+what)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var rest string
	lines := bufio.NewReader(out)
	for n := 0; ; {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var id string
		var version uint64
		if _, err := fmt.Sscanf(line, "%s %d\n", &id, &version); err != nil {
			rest += line
			continue
		}
		acknowledged[id] = max(acknowledged[id], version)
		if n++; n == kill {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); (err == nil) != (kill == 0) || complaint.Len() > 0 {
		t.Fatalf("the child ended with %v: %s", err, complaint.String())
	}
	return rest
}

// checkCrashed opens what the child left and checks it.
func checkCrashed(t *testing.T, path string, acknowledged map[string]uint64) {
	t.Helper()
	s, err := storage.OpenEmbedded(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	checkKept(t, s, acknowledged)
}

// checkKept finds every acknowledged commit in the store and no half of one.
func checkKept(t *testing.T, s storage.Store, acknowledged map[string]uint64) {
	t.Helper()
	for id, least := range acknowledged {
		r, err := s.Load(t.Context(), id)
		if err != nil {
			t.Fatalf("load %s: %v", id, err)
		}
		if r.Version < least {
			t.Errorf("%s is at version %d; %d was acknowledged", id, r.Version, least)
		}
		last := crashCommit(id, r.Version-1)
		if string(r.State) != string(last.State) || !r.Alarm.Equal(last.Alarm) {
			t.Errorf("%s at version %d has the state %q and the alarm %v", id, r.Version, r.State, r.Alarm)
		}
		if got, err := s.Resolve(t.Context(), last.Names[0]); got != id || err != nil {
			t.Errorf("the name of %s leads to %q, %v", id, got, err)
		}
		if _, err := s.Resolve(t.Context(), crashCommit(id, r.Version).Names[0]); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("the next name of %s is there already: %v", id, err)
		}
		said, err := s.Transcript(t.Context(), id)
		if err != nil {
			t.Fatalf("transcript of %s: %v", id, err)
		}
		if len(said.Entries) != int(r.Version) {
			t.Errorf("%s at version %d has %d entries", id, r.Version, len(said.Entries))
		}
		for i, entry := range said.Entries {
			if string(entry) != string(crashCommit(id, uint64(i)).Entries[0]) {
				t.Fatalf("entry %d of %s is not what was committed", i+1, id)
			}
		}
		// An unknown event would meet a conflict instead.
		for v := range r.Version {
			if err := s.Commit(t.Context(), crashCommit(id, v)); !errors.Is(err, storage.ErrDuplicate) {
				t.Fatalf("event %d of %s: got %v, want %v", v+1, id, err, storage.ErrDuplicate)
			}
		}
		unseen := crashCommit(id, r.Version)
		unseen.Version++
		if err := s.Commit(t.Context(), unseen); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("event %d of %s: got %v, want %v", r.Version+1, id, err, storage.ErrConflict)
		}
		if id == deliverer {
			count, _, err := s.Waiting(t.Context(), storage.LaneOfficers)
			if err != nil || count != int(r.Version%2) {
				t.Errorf("at version %d, %d items wait, %v", r.Version, count, err)
			}
		}
	}
}

func TestKilled(t *testing.T) {
	kills := 30
	if testing.Short() {
		kills = 5
	}
	path := filepath.Join(t.TempDir(), "store")
	acknowledged := make(map[string]uint64)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range kills {
		runChild(t, "commit", path, 1+random.IntN(120), acknowledged)
		checkCrashed(t, path, acknowledged)
	}
	var commits uint64
	for _, version := range acknowledged {
		commits += version
	}
	t.Logf("%d kills, %d acknowledged commits", kills, commits)
}

// TestKilledWhileCompacting kills a process that does nothing but compact its
// store, beside its writers.
func TestKilledWhileCompacting(t *testing.T) {
	kills := 30
	if testing.Short() {
		kills = 5
	}
	path := filepath.Join(t.TempDir(), "store")
	acknowledged := make(map[string]uint64)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range kills {
		runChild(t, "compact", path, 1+random.IntN(40), acknowledged)
		checkCrashed(t, path, acknowledged)
	}
}

func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	acknowledged := make(map[string]uint64)
	said := runChild(t, "full", path, 0, acknowledged)
	if !strings.Contains(said, "free space") || !strings.Contains(said, "file too large") {
		t.Errorf("the error tells neither what to do nor the cause: %q", said)
	}
	if len(acknowledged) == 0 {
		t.Error("nothing was acknowledged before the disk was full")
	}
	checkCrashed(t, path, acknowledged)
	// With room again it goes on where it was.
	runChild(t, "commit", path, 50, acknowledged)
	checkCrashed(t, path, acknowledged)
}
