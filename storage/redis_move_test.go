package storage_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"suar/internal/redistest"
	"suar/storage"
)

// TestRedisClusterMoves moves the hotline's slot from node to node, key by key,
// as an operator does who adds nodes. Meanwhile nothing is read or written, half
// or whole; afterwards everything is there.
func TestRedisClusterMoves(t *testing.T) {
	cluster := redistest.StartCluster(t, redistest.Options{})
	config := storage.RedisConfig{Addresses: cluster.Addresses, Password: redistest.Password, Cluster: true}
	store := openRedis(t, config)
	if err := store.Commit(t.Context(), everything("tg:1")); err != nil {
		t.Fatal(err)
	}
	before := dump(t, store)

	const key = "{suar}:store"
	from := cluster.Owner(key)
	var to *redistest.Server
	for _, s := range cluster.Nodes {
		if s != from && strings.HasPrefix(fmt.Sprint(s.Do("ROLE")), "[master") {
			to = s
		}
	}
	slot := fmt.Sprint(from.Do("CLUSTER", "KEYSLOT", key))
	fromID, toID := fmt.Sprint(from.Do("CLUSTER", "MYID")), fmt.Sprint(to.Do("CLUSTER", "MYID"))
	unmoved := func(when string) {
		t.Helper()
		for name, call := range calls(store) {
			var answer *storage.RedisError
			if err := call(t.Context()); !errors.As(err, &answer) || answer.Code != "TRYAGAIN" {
				t.Errorf("%s, %s: got %v, want TRYAGAIN", when, name, err)
			}
		}
	}
	to.Do("CLUSTER", "SETSLOT", slot, "IMPORTING", fromID)
	from.Do("CLUSTER", "SETSLOT", slot, "MIGRATING", toID)
	unmoved("before the first key")
	host, port, _ := strings.Cut(to.Addr, ":")
	keys, _ := from.Do("CLUSTER", "GETKEYSINSLOT", slot, "1000").([]any)
	if len(keys) < 10 {
		t.Fatalf("there are %d keys in the slot, want more", len(keys))
	}
	for i, key := range keys {
		from.Do("MIGRATE", host, port, fmt.Sprint(key), "0", "10000", "AUTH", redistest.Password)
		if i == len(keys)/2 {
			unmoved("half way")
		}
	}
	unmoved("after the last key")
	for _, s := range []*redistest.Server{to, from} {
		s.Do("CLUSTER", "SETSLOT", slot, "NODE", toID)
	}

	if d := cmp.Diff(before, dump(t, store)); d != "" {
		t.Errorf("what was moved is not what was there:\n%s", d)
	}
	if err := store.Commit(t.Context(), everything("tg:1")); !errors.Is(err, storage.ErrDuplicate) {
		t.Errorf("commit: got %v, want %v", err, storage.ErrDuplicate)
	}
	if got := cluster.Owner(key); got != to {
		t.Error("the slot was not moved")
	}
}

func dump(t *testing.T, store *storage.Redis) []storage.Piece {
	t.Helper()
	var pieces []storage.Piece
	if err := store.Dump(t.Context(), func(p storage.Piece) error {
		pieces = append(pieces, p)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return pieces
}
