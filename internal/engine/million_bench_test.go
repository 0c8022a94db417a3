//go:build unix

package engine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
)

// BenchmarkMillion compares what whole updates cost in a store of 1,000,000
// conversations with what they cost in one of 1,000: received, opened, the next
// step of the shipped questions, sealed, on the disk, delivered to somebody who
// takes it at once, and the outcome on the disk. All of them are /start, before
// there is a case: no transcript, which would cost more than all the rest, and no
// network, so that the store's part is greater than in the whole program. New
// people send nine each; people who were there before, in no order, send nine
// each; and then one each. The stores take turns and grow alike. With -short it is
// 100,000.
//
//	go test ./internal/engine -run '^$' -bench Million -benchtime 5x
func BenchmarkMillion(b *testing.B) {
	few, many := 1000, 1_000_000
	if testing.Short() {
		many = 100_000
	}
	big, small := newMillion(b, many), newMillion(b, few)
	for _, kind := range []struct {
		name          string
		people, steps int
		person        func(m *million, i int) int
	}{
		{"new", 200, 9, func(m *million, i int) int { return m.stored + i }},
		// 7919 is coprime to both sizes, so that they come in no order.
		{"returning", 200, 9, func(m *million, i int) int { return i * 7919 % m.stored }},
		{"returning-once", 900, 1, func(m *million, i int) int { return i * 7919 % m.stored }},
	} {
		b.Run(kind.name, func(b *testing.B) {
			var inFew, inMany time.Duration
			for b.Loop() {
				for _, turn := range []struct {
					m   *million
					cpu *time.Duration
				}{{small, &inFew}, {big, &inMany}} {
					before := usedCPU(b)
					turn.m.talk(b, kind.people, kind.steps, kind.person)
					*turn.cpu += usedCPU(b) - before
				}
			}
			updates := float64(b.N * kind.people * kind.steps)
			b.ReportMetric(inMany.Seconds()/inFew.Seconds(), "cpu-ratio")
			b.ReportMetric(inFew.Seconds()*1e6/updates, "few-cpu-µs/update")
			b.ReportMetric(inMany.Seconds()*1e6/updates, "many-cpu-µs/update")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// usedCPU is the time that the process has computed so far.
func usedCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A million is a hotline with many conversations stored.
type million struct {
	*Engine
	stored int
	came   int // people of all rounds
}

func newMillion(b *testing.B, n int) *million {
	officers, _ := testOfficers(b)
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		b.Fatal(err)
	}
	open := func() *million {
		store, err := storage.OpenEmbedded(filepath.Join(b.TempDir(), "store"))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = store.Close() })
		return &million{stored: n, Engine: &Engine{store: store}}
	}
	begin := func(m *million) {
		m.Engine, err = New(b.Context(), Config{
			Flow: book, Store: m.store, Vault: testVault(b, 1),
			Officers: func() seal.Recipients { return officers },
			Log:      slog.New(slog.DiscardHandler),
			Limits:   Limits{Callers: 64},
		})
		if err != nil {
			b.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() {
			all := map[flows.Side]Deliverer{flows.Caller: taker{}, flows.Officers: taker{}}
			if err := m.Run(ctx, all); err != nil && ctx.Err() == nil {
				b.Error(err)
			}
		})
		b.Cleanup(func() {
			stop()
			running.Wait()
		})
	}
	// What one person's conversation is after a message, all of them are.
	one := open()
	begin(one)
	one.came = 1
	one.exchange(b, 0, 1)
	said, found, err := one.load(b.Context(), one.vault.Blind("conversation", nameOf(0)))
	if err != nil || !found {
		b.Fatalf("load: found %v, %v", found, err)
	}
	m := open()
	i := 0
	err = m.store.Fill(b.Context(), func() (storage.Piece, error) {
		if i == n {
			return storage.Piece{}, io.EOF
		}
		c := said
		id := one.vault.Blind("conversation", nameOf(i))
		c.Caller = callerOf(i)
		state, err := one.sealState(id, &c)
		alarm := c.alarm.Add(time.Duration(i) * time.Second)
		i++
		return storage.Piece{
			ID: id, Version: c.version, State: state, Alarm: alarm,
			Events: []storage.Handled{{Event: id, At: alarm}},
		}, err
	})
	if err != nil {
		b.Fatal(err)
	}
	// What filling left to do in the background is no part of the updates.
	if err := m.store.(*storage.Embedded).Compact(b.Context()); err != nil {
		b.Fatal(err)
	}
	begin(m)
	return m
}

func nameOf(person int) string   { return fmt.Sprint("tg:", 1_000_000_000+person) }
func callerOf(person int) string { return fmt.Sprint("chat-", 1_000_000_000+person) }

// talk lets people write so many messages each, 32 of them at once, and returns
// when all that is due to them was delivered.
func (m *million) talk(b *testing.B, people, steps int, person func(*million, int) int) {
	const atOnce = 32
	next := make(chan int)
	var talking sync.WaitGroup
	for range atOnce {
		talking.Go(func() {
			for p := range next {
				m.exchange(b, p, steps)
			}
		})
	}
	for range people {
		next <- person(m, m.came)
		m.came++
	}
	close(next)
	talking.Wait()
	for {
		waiting, _, err := m.store.Waiting(b.Context(), storage.LaneCaller)
		if err != nil {
			b.Fatal(err)
		}
		if waiting == 0 {
			return
		}
		time.Sleep(time.Millisecond) // Looking is no part of the cost.
	}
}

func (m *million) exchange(b *testing.B, person, steps int) {
	for n := range steps {
		err := m.Handle(context.Background(), Inbound{
			Name: nameOf(person), Caller: callerOf(person), ID: fmt.Sprintf("tg:%d.%d.%d", person, m.came, n),
			Event: flows.Started{},
		})
		if err != nil {
			b.Error(err)
			return
		}
	}
}

// A taker takes every delivery at once.
type taker struct{}

func (taker) Deliver(_ context.Context, d Delivery) (flows.Delivered, error) {
	return flows.Delivered{Message: flows.MessageID(d.ID[:8]), Post: flows.PostID(d.ID)}, nil
}
