package loopback_test

import (
	"net"
	"sync"
	"testing"

	"suar/internal/loopback"
)

// TestFreeAddress asks for many addresses at once: each is another one, and one
// can listen there.
func TestFreeAddress(t *testing.T) {
	const many = 200
	var (
		all   sync.WaitGroup
		mu    sync.Mutex
		given = map[string]bool{}
	)
	for range many {
		all.Go(func() {
			address, err := loopback.FreeAddress()
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			given[address] = true
		})
	}
	all.Wait()
	if len(given) != many {
		t.Errorf("%d addresses for %d servers", len(given), many)
	}
	for address := range given {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
