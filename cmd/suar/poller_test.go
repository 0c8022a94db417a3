package main

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"suar/internal/engine"
	"suar/internal/seal"
	"suar/storage/storagetest"
)

// TestOnlyOnePolls has a second process on a store, one that comes after a
// crash, and one that comes after an end in order.
func TestOnlyOnePolls(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	d.write(t)
	synctest.Test(t, func(t *testing.T) {
		c, err := loadEngineConfig(d.path("etc/suar.yaml"), d.lookup)
		if err != nil {
			t.Fatal(err)
		}
		store := storagetest.NewMemory()
		hold := func() func(context.Context, time.Duration) error {
			e, err := engine.New(t.Context(), engine.Config{
				Flow: c.book, Store: store, Vault: seal.NewVault(c.vaultKey),
				Officers: func() seal.Recipients { return c.recipients }, Log: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			h, err := e.Hold(holdPoll)
			if err != nil {
				t.Fatal(err)
			}
			return h
		}
		polling := func(began chan<- bool) func(context.Context) error {
			return func(ctx context.Context) error {
				began <- true
				<-ctx.Done()
				return nil
			}
		}
		start := func(ctx context.Context, h func(context.Context, time.Duration) error) (began chan bool, ended chan error) {
			began, ended = make(chan bool, 1), make(chan error, 1)
			go func() { ended <- alone(ctx, h, polling(began)) }()
			synctest.Wait()
			return began, ended
		}
		ctx, stop := context.WithCancel(t.Context())
		began, ended := start(ctx, hold())
		<-began
		time.Sleep(time.Hour)

		second, refused := start(t.Context(), hold())
		if err := <-refused; !errors.Is(err, errPolled) {
			t.Errorf("the second: %v", err)
		}
		if len(second) > 0 {
			t.Error("the second polled")
		}
		// The end in order: the next one waits for nothing but its next look.
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the first: %v", err)
		}
		at := time.Now()
		third, stopThird := context.WithCancel(t.Context())
		crashed := hold()
		began, ended = start(third, crashed)
		<-began
		if since := time.Since(at); since > 0 {
			t.Errorf("after an end in order the next one waited for %v", since)
		}
		stopThird()
		if err := <-ended; err != nil {
			t.Errorf("the third: %v", err)
		}
		// The crash: somebody holds it and says nothing any more.
		if err := crashed(t.Context(), pollerLife); err != nil {
			t.Fatal(err)
		}
		at = time.Now()
		mine, down := hold(), new(atomic.Bool)
		began, ended = start(t.Context(), func(ctx context.Context, life time.Duration) error {
			if down.Load() {
				return errors.New("the store does not answer")
			}
			return mine(ctx, life)
		})
		<-began
		if since := time.Since(at); since < pollerLife-pollerBeat || since > pollerLife+pollerBeat {
			t.Errorf("after a crash the next one waited for %v", since)
		}
		// It is cut off from the store, and goes on until another took over.
		down.Store(true)
		time.Sleep(time.Minute)
		if len(ended) > 0 {
			t.Error("it ended because the store did not answer")
		}
		if err := crashed(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		down.Store(false)
		if err := <-ended; !errors.Is(err, errPolled) {
			t.Errorf("the one that was taken over: %v", err)
		}
	})
}
