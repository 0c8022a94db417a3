package demo

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"suar/internal/mattermosttest/standin"
	"suar/internal/telegramtest"
)

// A stage is what the page shows: whose phone it is, what the officers have on
// their screens beyond the channel, and what changed.
type stage struct {
	h *Hotline

	mu       sync.Mutex
	person   int64
	last     int64 // of the phones that there are
	blocked  map[int64]bool
	dialogs  map[string]*standin.Dialog // by officer
	whispers map[string][]string        // what only one officer sees, by officer
	kept     Kept
	changed  chan struct{} // closed and replaced with each change
}

// firstPerson is the chat of the first phone. Invented, as all of them.
const firstPerson = 700_000_001

// mostWhispers is how many private words of the hotline's an officer sees.
const mostWhispers = 3

func newStage(h *Hotline) *stage {
	return &stage{
		h: h, person: firstPerson, last: firstPerson, blocked: map[int64]bool{},
		dialogs: map[string]*standin.Dialog{}, whispers: map[string][]string{},
		kept:    Kept{Records: []Record{}, Cases: []string{}},
		changed: make(chan struct{}),
	}
}

// update changes the stage and tells who watches.
func (s *stage) update(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// now returns the phone's owner, and a channel that is closed with the next
// change.
func (s *stage) now() (*telegramtest.Person, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.h.telegram.Person(s.person), s.changed
}

// watch follows both sides and the store until ctx ends.
func (s *stage) watch(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		for range s.h.telegram.Feed(ctx) {
			s.update(func() {})
		}
	})
	channel, end := s.h.mattermost.Changes()
	defer end()
	wg.Go(func() {
		for {
			select {
			case <-channel:
				s.update(func() {})
			case <-ctx.Done():
				return
			}
		}
	})
	for _, o := range s.h.officers {
		notices, end := s.h.mattermost.Notices(o.id)
		defer end()
		wg.Go(func() { s.listen(ctx, o.name, notices) })
	}
	s.watchStore(ctx)
}

// listen takes what is shown to one officer only.
func (s *stage) listen(ctx context.Context, name string, notices <-chan standin.Notice) {
	for {
		select {
		case n := <-notices:
			s.update(func() {
				if n.Dialog != nil {
					s.dialogs[name] = n.Dialog
				}
				if n.Ephemeral != "" {
					all := append(s.whispers[name], n.Ephemeral)
					s.whispers[name] = slices.Clone(all[max(0, len(all)-mostWhispers):])
				}
			})
		case <-ctx.Done():
			return
		}
	}
}

// lookEvery is how often the store's files are looked at: at their sizes.
const lookEvery = 200 * time.Millisecond

// watchStore reads the records again whenever the store has changed.
func (s *stage) watchStore(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var last listing
	for {
		if files, err := s.h.list(); err == nil && !maps.Equal(files, last) {
			if kept, err := s.h.Kept(); err == nil {
				last = files
				s.update(func() { s.kept = kept })
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// takeDialog removes and returns the dialog that an officer has open.
func (s *stage) takeDialog(name string) *standin.Dialog {
	var d *standin.Dialog
	s.update(func() {
		d = s.dialogs[name]
		delete(s.dialogs, name)
	})
	return d
}

type phoneView struct {
	Person   int64                  `json:"person"` // counted from 1
	Phones   int64                  `json:"phones"` // how many there are
	Blocked  bool                   `json:"blocked"`
	Messages []telegramtest.Message `json:"messages"`
}

type channelView struct {
	Officers []string                   `json:"officers"`
	Threads  []standin.Thread           `json:"threads"`
	Dialogs  map[string]*standin.Dialog `json:"dialogs"`
	Whispers map[string][]string        `json:"whispers"`
}

// A part is one of the things that the page is told of, as JSON.
type part struct {
	name string
	data []byte
}

// parts returns all that the page shows, and a channel that is closed with the
// next change.
func (s *stage) parts() ([]part, <-chan struct{}, error) {
	person, changed := s.now()
	s.mu.Lock()
	phone := phoneView{Person: s.person - firstPerson + 1, Phones: s.last - firstPerson + 1, Blocked: s.blocked[s.person]}
	channel := channelView{Dialogs: maps.Clone(s.dialogs), Whispers: maps.Clone(s.whispers)}
	kept := s.kept
	s.mu.Unlock()
	phone.Messages = person.Chat()
	for _, o := range s.h.officers {
		channel.Officers = append(channel.Officers, o.name)
	}
	channel.Threads = s.h.mattermost.Snapshot(s.h.channel)
	var parts []part
	for _, p := range []struct {
		name  string
		value any
	}{{"phone", phone}, {"channel", channel}, {"kept", kept}} {
		data, err := json.Marshal(p.value)
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, part{p.name, data})
	}
	return parts, changed, nil
}
