package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"suar/internal/redistest"
	"suar/storage"
)

// fill commits conversations of 64 KB, with an item each, until the server
// refuses one for want of memory, and returns how many it has and what makes
// the commit n.
func fill(t *testing.T, r *storage.Redis) (kept int, next func(n int) storage.Commit) {
	t.Helper()
	body := bytes.Repeat([]byte("x"), 64<<10)
	next = func(n int) storage.Commit {
		return storage.Commit{
			ID: fmt.Sprint("chat ", n), Events: []string{"tg:1"}, At: at(0), State: body,
			Items: []storage.Item{{ID: fmt.Sprint(n), Lane: storage.LaneCaller, Body: []byte("hello")}},
		}
	}
	err := r.Commit(soon(t), next(kept))
	for ; err == nil; err = r.Commit(soon(t), next(kept)) {
		kept++
	}
	isFull(t, "the last commit", err)
	if kept < 10 {
		t.Fatalf("there was room for %d commits only", kept)
	}
	return kept, next
}

// isFull wants the error of a server whose memory is full.
func isFull(t *testing.T, what string, err error) {
	t.Helper()
	var answered *storage.RedisError
	if !errors.As(err, &answered) || answered.Code != "OOM" {
		t.Fatalf("%s: got %v, want OOM", what, err)
	}
}

// TestAFullRedisForgetsNothing commits until the memory is full: the last commit
// is refused whole, all before it is there, and with more memory the refused one
// is kept once.
func TestAFullRedisForgetsNothing(t *testing.T) {
	s := redistest.Start(t, redistest.Options{Config: []string{"maxmemory 8mb"}})
	r := openRedis(t, to(s))
	kept, next := fill(t, r)
	check := func() {
		t.Helper()
		for n := range kept {
			if got, err := r.Load(soon(t), fmt.Sprint("chat ", n)); err != nil || got.Version != 1 || !bytes.Equal(got.State, next(n).State) {
				t.Fatalf("chat %d of %d: version %d, %v", n, kept, got.Version, err)
			}
		}
		if _, err := r.Load(soon(t), fmt.Sprint("chat ", kept)); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("what was refused: %v", err)
		}
		if n, _, err := r.Waiting(soon(t), storage.LaneCaller); n != kept || err != nil {
			t.Errorf("%d items wait, want %d; %v", n, kept, err)
		}
	}
	check()
	s.Do("CONFIG", "SET", "maxmemory", "64mb")
	if err := r.Commit(soon(t), next(kept)); err != nil {
		t.Fatal(err)
	}
	kept++
	check()
	if err := r.Commit(soon(t), next(kept-1)); !errors.Is(err, storage.ErrDuplicate) {
		t.Errorf("once more: %v", err)
	}
}

// TestAFullRedisLetsOut takes a full server to what frees it, and to what was
// accepted before: it goes out, and only what would bring more in is refused.
func TestAFullRedisLetsOut(t *testing.T) {
	s := redistest.Start(t, redistest.Options{Config: []string{"maxmemory 8mb"}})
	r := openRedis(t, to(s))
	if err := r.Commit(soon(t), everything("tg:1")); err != nil {
		t.Fatal(err)
	}
	kept, next := fill(t, r)
	// What is freed on the way is not enough for anything.
	s.Do("CONFIG", "SET", "maxmemory", "4mb")
	done := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	done("hold", r.Hold(soon(t), "ear", "me", at(1), at(60)))
	_, err := r.Pace(soon(t), "all", at(1), time.Second, 0)
	done("pace", err)
	leased, err := r.Lease(soon(t), storage.LaneCaller, 3, at(1), at(60))
	done("lease", err)
	if len(leased) != 3 || leased[0].Conversation != "canary" {
		t.Fatalf("leased %+v, want three, the oldest first", leased)
	}
	done("defer", r.Defer(soon(t), leased[2].Lease, at(2)))

	// The outcome of what was accepted counts, with all that follows from it.
	outcome := storage.Commit{
		ID: "canary", Version: 1, Events: []string{"sent"}, At: at(1), State: []byte("said"), Alarm: at(30), Ack: &leased[0].Lease,
		Items:      []storage.Item{{ID: "more", Lane: storage.LaneCaller, Body: []byte("more")}},
		Transcript: "case", Entries: [][]byte{[]byte("it was said")},
	}
	more, err := r.CommitAndLease(soon(t), outcome, at(60), storage.LaneCaller)
	done("an outcome", err)
	if len(more) != 1 || more[0].Item != "more" {
		t.Errorf("with the outcome %+v were leased, want what it added", more)
	}
	if err := r.Commit(soon(t), outcome); !errors.Is(err, storage.ErrDuplicate) {
		t.Errorf("the outcome again: %v, want a duplicate", err)
	}
	done("forget", r.Forget(soon(t), "case"))
	if n, err := r.Sweep(soon(t), at(1), 1); n != 1 || err != nil {
		t.Fatalf("swept %d, %v", n, err)
	}

	// It is as full as before.
	isFull(t, "what is new", r.Commit(soon(t), next(kept)))
	stranger := storage.Commit{ID: "stranger", Events: []string{"tg:1"}, At: at(1)}
	isFull(t, "what leaves nothing but its identity", r.Commit(soon(t), stranger))

	// An alarm rings once it is due, and not before.
	alarm := storage.Commit{
		ID: "canary", Version: 2, Events: []string{"alarm"}, At: at(29), State: []byte("rung"), Alarm: at(90),
		Items: []storage.Item{{ID: "page", Lane: storage.LaneOfficers, Body: []byte("page")}},
	}
	isFull(t, "an alarm that is not due", r.Commit(soon(t), alarm))
	alarm.At = at(30)
	done("an alarm", r.Commit(soon(t), alarm))

	for n := range kept {
		done("the end of a record", r.Commit(soon(t), storage.Commit{ID: next(n).ID, Version: 1, Events: []string{"end"}, At: at(1)}))
	}
	done("a commit with room again", r.Commit(soon(t), next(kept)))
	if got, err := r.Load(soon(t), "canary"); err != nil || got.Version != 3 || string(got.State) != "rung" {
		t.Errorf("loaded %+v, %v", got, err)
	}
	// Every conversation's item is left, and of canary's the one that it added.
	if n, _, err := r.Waiting(soon(t), storage.LaneCaller); n != kept+2 || err != nil {
		t.Errorf("%d items wait, want %d; %v", n, kept+2, err)
	}
}
