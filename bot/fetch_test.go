package bot_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/bot"
	"suar/flows"
	"suar/internal/engine"
	"suar/internal/telegramtest"
)

// kept is what a bot handed over to be cleaned and kept.
type kept struct {
	conversation string
	effect       flows.Fetch
	raw          []byte
}

// newFetcher is a talk whose bot keeps files.
func newFetcher(t *testing.T, err error) (*talk, *[]kept) {
	var all []kept
	k := newTalk(t, func(c *bot.Config) {
		c.Keep = func(_ context.Context, conversation string, e flows.Fetch, raw []byte) (flows.Held, error) {
			all = append(all, kept{conversation, e, bytes.Clone(raw)})
			return flows.Held{Type: "image/jpeg", Bytes: len(raw), Sum: "s"}, err
		}
	})
	k.fetches = true
	return k, &all
}

// sent sends a file and returns the Fetch for it.
func (k *talk) sent(f telegramtest.File) flows.Fetch {
	k.t.Helper()
	stop := k.run(k.Bot)
	k.person.SendFile(f, "")
	k.drained()
	if err := stop(); err != nil {
		k.t.Fatal(err)
	}
	events := k.journal.wait(k.t, 1)
	ev, ok := events[len(events)-1].Event.(flows.Attached)
	if !ok || ev.File == "" {
		k.t.Fatalf("the event is %T without a file", events[len(events)-1].Event)
	}
	return flows.Fetch{Media: "m", Kind: ev.Media, File: ev.File}
}

func (k *talk) fetch(e flows.Fetch) (flows.Delivered, *engine.Failure) {
	k.t.Helper()
	d := k.delivery(e)
	d.Conversation = "conversation"
	done, err := k.Deliver(k.t.Context(), d)
	if err == nil {
		return done, nil
	}
	f, ok := errors.AsType[*engine.Failure](err)
	if !ok {
		k.t.Fatalf("Deliver: %T, want a Failure", err)
	}
	checkCanaries(k.t, "the error", err.Error())
	return done, f
}

func TestFetch(t *testing.T) {
	for _, f := range []telegramtest.File{
		{Kind: telegramtest.Photo, Content: []byte(canaryText)},
		{Kind: telegramtest.Voice, Content: []byte(canaryText)},
		{Kind: telegramtest.Document, Content: []byte(canaryText), Type: "image/png"},
		{Kind: telegramtest.Photo, Content: []byte(canaryText), Says: 3},
		{Kind: telegramtest.Photo, Content: []byte(canaryText), Says: -1},
		{Kind: telegramtest.Photo, Content: bytes.Repeat([]byte("x"), flows.MaxMedia)},
		{Kind: telegramtest.Photo, Content: nil, Says: 100},
	} {
		k, all := newFetcher(t, nil)
		e := k.sent(f)
		done, failure := k.fetch(e)
		if failure != nil {
			t.Fatalf("%s: %v", f.Kind, failure)
		}
		if want := (flows.Held{Type: "image/jpeg", Bytes: len(f.Content), Sum: "s"}); done.Held != want {
			t.Errorf("held %+v, want %+v", done.Held, want)
		}
		want := []kept{{"conversation", e, f.Content}}
		if diff := cmp.Diff(want, *all, cmp.AllowUnexported(kept{}), cmp.Transformer("bytes", func(b []byte) string { return string(b) })); diff != "" {
			t.Errorf("%s: kept (-want +got):\n%.300s", f.Kind, diff)
		}
	}
}

// TestNothingIsFetchedByItself: what people send is not fetched by receiving
// it, whatever it is. (The stage holds every test to it that does not allow
// fetching.)
func TestNothingIsFetchedByItself(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	b := s.bot(func(c *bot.Config) {
		c.Keep = func(context.Context, string, flows.Fetch, []byte) (flows.Held, error) {
			t.Error("a file was kept")
			return flows.Held{}, nil
		}
	})
	s.run(b)
	p := s.Person(canaryChat)
	p.Start()
	for range 10 { // an album
		p.SendFile(telegramtest.File{Kind: telegramtest.Photo, Content: []byte("x"), Album: "1"}, "")
	}
	p.SendFile(telegramtest.File{Kind: telegramtest.Voice, Content: []byte("x")}, "")
	s.drained()
	if got := s.journal.wait(t, 12); len(got) != 12 {
		t.Errorf("%d events, want 12", len(got))
	}
}

func TestFetchRefused(t *testing.T) {
	photo := telegramtest.File{Kind: telegramtest.Photo, Content: []byte("x")}
	large := bytes.Repeat([]byte("x"), flows.MaxMedia+1)
	for _, tt := range []struct {
		name  string
		file  telegramtest.File
		keep  error
		world func(*talk)
		want  engine.Failure // Reason and Final
	}{
		{"longer than is taken", telegramtest.File{Kind: telegramtest.Photo, Content: large}, nil, nil, engine.Failure{Reason: flows.ReasonTooLarge, Final: true}},
		{"longer than it says", telegramtest.File{Kind: telegramtest.Voice, Content: large, Says: 7}, nil, nil, engine.Failure{Reason: flows.ReasonTooLarge, Final: true}},
		{"longer than a bot may read", telegramtest.File{Kind: telegramtest.Voice, Content: []byte("x"), Says: 21 << 20}, nil, nil, engine.Failure{Reason: flows.ReasonTooLarge, Final: true}},
		{"nothing that can be cleaned", photo, bot.ErrUnsuited, nil, engine.Failure{Reason: flows.ReasonUnsuited, Final: true}},
		{"a store that is away", photo, errors.New("canary of a cause"), nil, engine.Failure{}},
		{"a file that Telegram lost", photo, nil, func(k *talk) { k.Forget() }, engine.Failure{Reason: flows.ReasonGone, Final: true}},
		{"getFile refused", photo, nil, func(k *talk) {
			k.Fail("getFile", telegramtest.Always(telegramtest.Refused(400, "Bad Request: file is temporarily unavailable")))
		}, engine.Failure{Reason: flows.ReasonGone, Final: true}},
		{"a person who blocked is not told of by a file", photo, nil, func(k *talk) {
			k.Fail("getFile", telegramtest.Always(telegramtest.Refused(403, "Forbidden: bot was blocked by the user")))
		}, engine.Failure{Reason: flows.ReasonGone, Final: true}},
		{"getFile without an answer", photo, nil, func(k *talk) { k.Fail("getFile", telegramtest.Always(telegramtest.CutBefore())) }, engine.Failure{}},
		{"getFile with a page", photo, nil, func(k *talk) { k.Fail("getFile", telegramtest.Always(telegramtest.Broken(502))) }, engine.Failure{}},
		{"too many calls", photo, nil, func(k *talk) { k.Fail("getFile", telegramtest.Always(telegramtest.TooManyRequests(1))) }, engine.Failure{}},
		{"a place that climbs", photo, nil, func(k *talk) {
			k.Fail("getFile", telegramtest.Always(&telegramtest.Failure{Status: 200, Description: `{"file_id":"1","file_unique_id":"1","file_path":"../../bot/getMe"}`}))
		}, engine.Failure{}},
		{"a place elsewhere", photo, nil, func(k *talk) {
			k.Fail("getFile", telegramtest.Always(&telegramtest.Failure{Status: 200, Description: `{"file_id":"1","file_unique_id":"1","file_path":"/var/lib/x.jpg"}`}))
		}, engine.Failure{}},
		{"no place", photo, nil, func(k *talk) {
			k.Fail("getFile", telegramtest.Always(&telegramtest.Failure{Status: 200, Description: `{"file_id":"1","file_unique_id":"1"}`}))
		}, engine.Failure{}},
		{"a download that is reset", photo, nil, func(k *talk) { k.Fail("file", telegramtest.Always(telegramtest.CutBefore())) }, engine.Failure{}},
		{"a download that is cut in the middle", telegramtest.File{Kind: telegramtest.Photo, Content: []byte(strings.Repeat("x", 1000))}, nil, func(k *talk) { k.Fail("file", telegramtest.Always(telegramtest.CutAfter())) }, engine.Failure{}},
		{"a download that is not there", photo, nil, func(k *talk) { k.Fail("file", telegramtest.Always(telegramtest.Refused(404, "Not Found"))) }, engine.Failure{}},
		{"a download elsewhere", photo, nil, func(k *talk) { k.Fail("file", telegramtest.Always(telegramtest.Broken(302))) }, engine.Failure{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k, _ := newFetcher(t, tt.keep)
			e := k.sent(tt.file)
			if tt.world != nil {
				tt.world(k)
			}
			_, failure := k.fetch(e)
			if failure == nil {
				t.Fatal("delivered")
			}
			if failure.Reason != tt.want.Reason || failure.Final != tt.want.Final {
				t.Errorf("reason %q, final %t; want %q, %t", failure.Reason, failure.Final, tt.want.Reason, tt.want.Final)
			}
			if strings.Contains(failure.Error(), "canary") {
				t.Errorf("the error is %q", failure)
			}
		})
	}
}

// TestFetchAgain: a place that is no longer good, and a download that was cut,
// are made good by the next try.
func TestFetchAgain(t *testing.T) {
	k, all := newFetcher(t, nil)
	e := k.sent(telegramtest.File{Kind: telegramtest.Photo, Content: []byte("photo")})
	k.Fail("file", telegramtest.Times(telegramtest.CutAfter(), telegramtest.Refused(404, "Not Found")))
	for range 2 {
		if _, failure := k.fetch(e); failure == nil || failure.Final {
			t.Fatalf("%v; want a failure to try again on", failure)
		}
	}
	k.clock.advance(2 * time.Hour)
	if _, failure := k.fetch(e); failure != nil {
		t.Fatal(failure)
	}
	if len(*all) != 1 {
		t.Errorf("kept %d files, want one", len(*all))
	}
}

// TestFetchWithoutAKeeper: a bot that was not told how to keep files fetches
// none.
func TestFetchWithoutAKeeper(t *testing.T) {
	k := newTalk(t, nil)
	if _, failure := k.fetch(flows.Fetch{Media: "m", File: "f"}); failure == nil || failure.Reason != flows.ReasonUnsuited || !failure.Final {
		t.Errorf("%v; want it refused", failure)
	}
}
