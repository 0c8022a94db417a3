package demo

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"suar/storage"
)

// A copy that is taken while the store is written to is whole: it is the store
// as one transaction left it.
func TestKeptWhileWritten(t *testing.T) {
	h := startIdle(t)
	store, err := storage.OpenEmbedded(h.store)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	written := make(chan error, 1)
	go func() {
		defer close(written)
		// As fast as people write, not as fast as the disk: a copy has to find a
		// moment in which no transaction ends.
		pace := time.NewTicker(100 * time.Millisecond)
		defer pace.Stop()
		for i := uint64(0); ctx.Err() == nil; i++ {
			<-pace.C
			state := strings.Repeat(fmt.Sprintf("%08d", i), 1+int(i%500))
			err := store.Commit(ctx, storage.Commit{
				ID: "conversation", Version: i, Events: []string{fmt.Sprint("e", i)}, At: time.Unix(int64(i), 0), State: []byte(state),
				Transcript: fmt.Sprintf("%032x", i%3), Header: []byte("header"), Entries: [][]byte{[]byte(state)},
			})
			if err != nil && ctx.Err() == nil {
				written <- err
				return
			}
		}
	}()
	for most := 0; most < 30; {
		kept, err := h.Kept()
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]int{}
		for _, r := range kept.Records {
			kinds[r.Kind]++
		}
		// One transaction writes one event and one entry.
		if kinds["ce"] != kinds["we"] {
			t.Fatalf("the copy is of two minds: %v", kinds)
		}
		most = kinds["we"]
	}
	kept, err := h.Kept()
	if err != nil {
		t.Fatal(err)
	}
	if len(kept.Cases) != 3 || kept.Cases[1] != "0000-0000" {
		t.Errorf("cases %v", kept.Cases)
	}
	stop()
	if err := <-written; err != nil {
		t.Error(err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}
