package storage_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"suar/internal/redistest"
	"suar/storage"
)

// at is an instant that the tests' commits have.
func at(seconds int) time.Time {
	return time.Date(2031, time.March, 14, 12, 0, seconds, 0, time.UTC)
}

// everything is a first commit with something of each kind.
func everything(event string) storage.Commit {
	return storage.Commit{
		ID: "canary", Events: []string{event}, At: at(0), State: []byte("state"), Names: []string{"canary-thread"}, Alarm: at(30),
		Items: []storage.Item{
			{ID: "say", Lane: storage.LaneCaller, Body: []byte("hello")},
			{ID: "post", Lane: storage.LaneOfficers, Body: []byte("alert")},
		},
		Transcript: "case", Header: []byte("header"), Entries: [][]byte{[]byte("entry")},
	}
}

// calls are a call of each of the store's methods; first is everything.
func calls(r storage.Store) map[string]func(context.Context) error {
	lease := storage.Lease{Conversation: "canary", Item: "say", Lane: storage.LaneCaller, Token: 1}
	return map[string]func(context.Context) error{
		"Load":    func(ctx context.Context) error { _, err := r.Load(ctx, "canary"); return err },
		"Resolve": func(ctx context.Context) error { _, err := r.Resolve(ctx, "canary-thread"); return err },
		"Commit":  func(ctx context.Context) error { return r.Commit(ctx, everything("tg:2")) },
		"Lease": func(ctx context.Context) error {
			_, err := r.Lease(ctx, storage.LaneCaller, 1, at(0), at(1))
			return err
		},
		"Defer":      func(ctx context.Context) error { return r.Defer(ctx, lease, at(1)) },
		"Waiting":    func(ctx context.Context) error { _, _, err := r.Waiting(ctx, storage.LaneCaller); return err },
		"Due":        func(ctx context.Context) error { _, err := r.Due(ctx, at(60), 10); return err },
		"Transcript": func(ctx context.Context) error { _, err := r.Transcript(ctx, "case"); return err },
		"Transcripts": func(ctx context.Context) error {
			_, err := r.Transcripts(ctx, "", 10)
			return err
		},
		"Forget": func(ctx context.Context) error { return r.Forget(ctx, "case") },
		"Sweep":  func(ctx context.Context) error { _, err := r.Sweep(ctx, at(0), 10); return err },
		"Hold":   func(ctx context.Context) error { return r.Hold(ctx, "ear", "me", at(0), at(1)) },
		"Pace": func(ctx context.Context) error {
			_, err := r.Pace(ctx, "all", at(0), time.Second, time.Second)
			return err
		},
		"CommitAndLease": func(ctx context.Context) error {
			_, err := r.CommitAndLease(ctx, everything("tg:3"), at(1), storage.LaneCaller)
			return err
		},
	}
}

// TestAStoreThatLostItsDataIsNotUsed lets the data go away under a process.
func TestAStoreThatLostItsDataIsNotUsed(t *testing.T) {
	for _, tt := range []struct {
		what string
		lose func(*redistest.Server)
	}{
		{"flushed", func(s *redistest.Server) { s.Do("FLUSHALL") }},
		{"restarted without its file", func(s *redistest.Server) {
			s.Kill()
			if err := os.RemoveAll(filepath.Join(s.Dir(), "appendonlydir")); err != nil {
				t.Fatal(err)
			}
			s.Restart()
		}},
		{"another hotline's", func(s *redistest.Server) {
			s.Do("FLUSHALL")
			openRedis(t, to(s))
		}},
		{"without its identity", func(s *redistest.Server) { s.Do("DEL", "{suar}:store") }},
	} {
		t.Run(tt.what, func(t *testing.T) {
			s := redistest.Start(t, redistest.Options{})
			r := openRedis(t, to(s))
			if err := r.Commit(soon(t), everything("tg:1")); err != nil {
				t.Fatal(err)
			}
			tt.lose(s)
			before := s.Do("DBSIZE")
			for name, call := range calls(r) {
				err := answered(soon(t), call)
				if !errors.Is(err, storage.ErrLost) {
					t.Errorf("%s: %v, want it lost", name, err)
				}
			}
			if after := s.Do("DBSIZE"); after != before {
				t.Errorf("there were %v keys, now there are %v", before, after)
			}
		})
	}
}

// answered repeats a call while it is the connection that fails: some that are
// kept open are of a server that was killed.
func answered(ctx context.Context, call func(context.Context) error) error {
	for {
		err := call(ctx)
		var network net.Error
		if ctx.Err() != nil || !errors.Is(err, io.EOF) && !errors.As(err, &network) {
			return err
		}
	}
}

func TestOpenRedisDoesNotBeginOverOtherData(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	if err := openRedis(t, to(s)).Commit(soon(t), everything("tg:1")); err != nil {
		t.Fatal(err)
	}
	s.Do("DEL", "{suar}:store")
	if _, err := storage.OpenRedis(soon(t), to(s)); !errors.Is(err, storage.ErrUnnamed) {
		t.Errorf("got %v, want it without a name", err)
	}
}
