package storage_test

import (
	"slices"
	"strings"
	"testing"

	"suar/internal/redistest"
	"suar/storage"
)

// TestOpenRedisNeedsItsOwnMasterOnly takes nodes out of a Cluster that goes on
// without them: a hotline starts, and tells of them, as long as the node that it
// is kept on answers.
func TestOpenRedisNeedsItsOwnMasterOnly(t *testing.T) {
	x := redistest.StartCluster(t, redistest.Options{Config: []string{"cluster-require-full-coverage no"}})
	var told []string
	c := storage.RedisConfig{
		Addresses: x.Addresses, Cluster: true, Password: redistest.Password,
		Report: func(err error) { told = append(told, err.Error()) },
	}
	openRedis(t, c)
	if len(told) != 0 {
		t.Errorf("of a whole Cluster it was told %q", told)
	}
	masters := len(x.Nodes) / 2
	own := slices.Index(x.Nodes, x.Owner("{suar}:store"))
	other := (own + 1) % masters
	// The replica goes first: it would take over.
	for _, i := range []int{masters + other, other} {
		x.Nodes[i].Kill()
	}
	r := openRedis(t, c)
	if err := r.Commit(soon(t), everything("tg:1")); err != nil {
		t.Errorf("commit: %v", err)
	}
	for _, i := range []int{masters + other, other} {
		if !slices.ContainsFunc(told, func(line string) bool { return strings.Contains(line, x.Nodes[i].Addr) }) {
			t.Errorf("it was told %q, and nothing of %s", told, x.Nodes[i].Addr)
		}
	}

	for _, i := range []int{masters + own, own} {
		x.Nodes[i].Kill()
	}
	_, err := storage.OpenRedis(soon(t), c)
	said(t, err, "open the Redis at "+x.Nodes[own].Addr)
}
