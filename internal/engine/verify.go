package engine

import (
	"context"
	"encoding/json"
	"fmt"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
)

// A Survey looks through all that a store keeps with the vault's key, opens what
// the server may open, and counts. It looks twice: Conversations first sees every
// piece, then Transcripts does, because a transcript may come before the
// conversation that tells how long it is. Of a piece that comes twice the later
// counts. It is not for concurrent use.
type Survey struct {
	vault         *seal.Vault
	key           error
	conversations map[string]surveyed
	transcripts   map[string]transcribed
	tracks        map[string]seal.Track
	trail         *AuditHead
}

type surveyed struct {
	record, open, damaged bool
	waiting, damagedItems int
}

type transcribed struct {
	entries int
	tracked bool
	damaged bool
}

// Findings are what a Survey found. They hold numbers only.
type Findings struct {
	// Conversations have a state; Open of them have a case that is not closed.
	Conversations, Open int
	// Waiting are the effects in the outbox.
	Waiting int
	// Transcripts have Entries. Of Tracked ones the server itself knows how they
	// end, and made sure that nothing is missing, replaced or added; of the
	// others, whose case is over, only that their numbers have no gap.
	Transcripts, Entries, Tracked int
	// Of these the server must be able to open all, or their transcripts to be
	// whole, and it is not so.
	DamagedConversations, DamagedEffects, DamagedTranscripts int
}

// Damaged reports whether something is not as it must be.
func (f Findings) Damaged() bool {
	return f.DamagedConversations+f.DamagedEffects+f.DamagedTranscripts > 0
}

// NewSurvey returns a survey that has seen nothing yet.
func NewSurvey(v *seal.Vault) *Survey {
	return &Survey{
		vault:         v,
		conversations: map[string]surveyed{},
		transcripts:   map[string]transcribed{},
		tracks:        map[string]seal.Track{},
	}
}

// Conversations looks at a piece's state and outbox.
func (s *Survey) Conversations(p storage.Piece) {
	if p.ID == keyRecord {
		s.key = checkRecord(s.vault, p.State)
		return
	}
	if p.ID == "" || p.ID == clockRecord || p.ID == restoredRecord || p.ID == rosterRecord || p.ID == dutyRecord {
		return // They are of no conversation.
	}
	if p.ID == auditRecord {
		if end, err := openAuditHead(s.vault, p.State); err == nil {
			s.trail = &end
		}
		return
	}
	if isMedia(p.ID) {
		// One that is erased may come as a piece with nothing but its events.
		_, err := s.vault.Open("media", p.ID, p.State)
		s.conversations[p.ID] = surveyed{damaged: p.Version > 0 && err != nil}
		return
	}
	found := surveyed{record: p.Version > 0, waiting: len(p.Items)}
	if found.record {
		var v envelope
		plain, err := s.vault.Open("state", stateKey(p.ID, p.Version), p.State)
		if err == nil {
			err = json.Unmarshal(plain, &v)
		}
		found.damaged = err != nil
		found.open = err == nil && v.State.Case != nil && v.State.Case.Phase != flows.Ended
		if err == nil && v.Tape != nil {
			track, err := v.Tape.Track()
			found.damaged = err != nil
			s.tracks[v.Tape.Case.String()] = track
		}
	}
	for _, q := range p.Items {
		if _, err := openBody(s.vault, q.Item); err != nil {
			found.damagedItems++
		}
	}
	s.conversations[p.ID] = found
}

// Transcripts looks at a piece's transcripts, after Conversations saw all
// pieces.
func (s *Survey) Transcripts(p storage.Piece) {
	for name, t := range p.Transcripts {
		found := transcribed{entries: len(t.Entries)}
		var err error
		if name == auditRecord {
			trail := openTrail(s.vault, t.Entries)
			if s.trail != nil {
				trail.ends(*s.trail)
			}
			found.tracked, found.damaged = s.trail != nil, s.trail == nil || len(trail.Faults) > 0
			s.transcripts[name] = found
			continue
		}
		if track, ok := s.tracks[name]; ok {
			found.tracked = true
			err = track.Check(t.Entries)
		} else {
			err = seal.CheckRecords(t.Entries)
		}
		found.damaged = err != nil || len(t.Header) == 0
		s.transcripts[name] = found
	}
}

// Findings returns what was found so far, or ErrWrongKey if the store was
// written with another key.
func (s *Survey) Findings() (Findings, error) {
	var f Findings
	if s.key != nil {
		return f, s.key
	}
	count := func(n *int, yes bool) {
		if yes {
			*n++
		}
	}
	for _, c := range s.conversations {
		count(&f.Conversations, c.record)
		count(&f.Open, c.open)
		count(&f.DamagedConversations, c.damaged)
		f.Waiting += c.waiting
		f.DamagedEffects += c.damagedItems
	}
	for _, t := range s.transcripts {
		f.Transcripts++
		f.Entries += t.entries
		count(&f.Tracked, t.tracked)
		count(&f.DamagedTranscripts, t.damaged)
	}
	if _, ok := s.transcripts[auditRecord]; !ok && s.trail != nil && s.trail.N > 0 {
		f.DamagedTranscripts++
	}
	// A case whose transcript is not there at all.
	for name, track := range s.tracks {
		if _, ok := s.transcripts[name]; !ok && track.Seq > 0 {
			f.DamagedTranscripts++
		}
	}
	return f, nil
}

// Mute takes from a piece the effects that would put something into the
// person's chat, a message or another text in an old one, and returns them. What
// erases stays, and so do all effects to the officers; they say from now on that
// they may have been performed before, so that their performer looks. What does
// not open stays as it is: it cannot be performed. The piece that it was given
// is not changed.
func (s *Survey) Mute(p storage.Piece) (storage.Piece, []Muted, error) {
	var muted []Muted
	var items []storage.Queued
	for _, q := range p.Items {
		it, err := openBody(s.vault, q.Item)
		switch {
		case err != nil:
		case q.Lane == storage.LaneCaller && shows(it.Effect.Effect):
			muted = append(muted, Muted{Conversation: p.ID, item: q.Item})
			continue
		default:
			it.Again = true
			plain, err := json.Marshal(it)
			if err != nil {
				return p, nil, fmt.Errorf("%w: an effect cannot be written", ErrStep) // The cause may quote it.
			}
			q.Body = s.vault.Seal("item", q.ID, plain)
		}
		items = append(items, q)
	}
	p.Items = items
	return p, muted, nil
}

// shows reports whether an effect leaves something new in the person's chat.
func shows(ef flows.Effect) bool {
	switch ef.(type) {
	case flows.Show, flows.Say, flows.Amend:
		return true
	}
	return false
}

// A Muted is an effect that was taken from the outbox and not performed.
type Muted struct {
	Conversation string
	item         storage.Item
}

// CheckKey returns ErrWrongKey if the store was written with another key, and
// storage.ErrNotFound if it was never served. It changes nothing.
func CheckKey(ctx context.Context, store interface {
	Load(ctx context.Context, id string) (storage.Record, error)
}, v *seal.Vault,
) error {
	rec, err := store.Load(ctx, keyRecord)
	if err != nil {
		return fmt.Errorf("engine: check the vault key: %w", err)
	}
	return checkRecord(v, rec.State)
}

func checkRecord(v *seal.Vault, state []byte) error {
	if _, err := v.Open("check", keyRecord, state); err != nil {
		return fmt.Errorf("%w (%w)", ErrWrongKey, err)
	}
	return nil
}

// openBody opens an item as Engine.openItem does.
func openBody(v *seal.Vault, q storage.Item) (item, error) {
	plain, err := v.Open("item", q.ID, q.Body)
	if err != nil {
		return item{}, errDamaged
	}
	var it item
	if err := json.Unmarshal(plain, &it); err != nil {
		return item{}, errDamaged // The cause may quote the item.
	}
	return it, nil
}
