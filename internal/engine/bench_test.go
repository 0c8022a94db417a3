package engine

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
)

// BenchmarkHandle is one message of a person, from the edge to the disk of the
// embedded store: alone, and with as many persons at once as there are in a
// busy hour.
func BenchmarkHandle(b *testing.B) {
	for _, persons := range []int{1, 64} {
		b.Run(fmt.Sprintf("persons=%d", persons), func(b *testing.B) {
			store, err := storage.OpenEmbedded(filepath.Join(b.TempDir(), "store"))
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = store.Close() }()
			officers, _ := testOfficers(b)
			e, err := New(b.Context(), Config{
				Flow:     testFlow{},
				Store:    store,
				Vault:    testVault(b, 1),
				Officers: func() seal.Recipients { return officers },
				Log:      slog.New(slog.DiscardHandler),
			})
			if err != nil {
				b.Fatal(err)
			}
			for p := range persons {
				if err := e.Handle(b.Context(), said(p, 0, "begin")); err != nil {
					b.Fatal(err)
				}
			}
			var message atomic.Int64
			b.ResetTimer()
			var all sync.WaitGroup
			for p := range persons {
				all.Go(func() {
					for n := message.Add(1); n <= int64(b.N); n = message.Add(1) {
						if err := e.Handle(b.Context(), said(p, int(n), "a message of some length")); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
		})
	}
}

// BenchmarkFlood is one message of a flood from one chat, of which a hundred are
// handed over at once, in a case of the book that is built in.
func BenchmarkFlood(b *testing.B) {
	store, err := storage.OpenEmbedded(filepath.Join(b.TempDir(), "store"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		b.Fatal(err)
	}
	officers, _ := testOfficers(b)
	e, err := New(b.Context(), Config{
		Flow:     book,
		Store:    store,
		Vault:    testVault(b, 1),
		Officers: func() seal.Recipients { return officers },
		Log:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for n := 0; n < b.N; n += storage.MaxEvents {
		var all []Inbound
		for i := range min(storage.MaxEvents, b.N-n) {
			all = append(all, said(1, n+i+1, "a message of the flood"))
		}
		if err := e.HandleAll(b.Context(), all); err != nil {
			b.Fatal(err)
		}
	}
}
