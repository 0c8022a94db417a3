package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"suar/internal/redistest"
	"suar/storage"
)

// TestAFullRedisForgetsNothing commits until the memory is full: the last commit
// is refused whole, all before it is there, and with more memory the refused one
// is kept once.
func TestAFullRedisForgetsNothing(t *testing.T) {
	s := redistest.Start(t, redistest.Options{Config: []string{"maxmemory 8mb"}})
	r := openRedis(t, to(s))
	body := bytes.Repeat([]byte("x"), 64<<10)
	next := func(n int) storage.Commit {
		return storage.Commit{
			ID: fmt.Sprint("chat ", n), Events: []string{"tg:1"}, At: at(0), State: body,
			Items: []storage.Item{{ID: fmt.Sprint(n), Lane: storage.LaneCaller, Body: []byte("hello")}},
		}
	}
	kept := 0
	var answered *storage.RedisError
	for {
		err := r.Commit(soon(t), next(kept))
		if err == nil {
			kept++
			continue
		}
		if !errors.As(err, &answered) || answered.Code != "OOM" {
			t.Fatal(err)
		}
		break
	}
	if kept == 0 {
		t.Fatal("there was no room for anything")
	}
	check := func() {
		t.Helper()
		for n := range kept {
			if got, err := r.Load(soon(t), fmt.Sprint("chat ", n)); err != nil || got.Version != 1 || !bytes.Equal(got.State, body) {
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
