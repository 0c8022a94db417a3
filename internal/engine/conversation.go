package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
)

// errDamaged says that something of one conversation cannot be read or does not
// open, although the store is sound elsewhere and the vault's key is its own.
// What the store keeps of the conversation waits; nothing is dropped. It is an
// [ErrStep]: no event can be applied.
var errDamaged = fmt.Errorf("%w: a record cannot be read: it was damaged, or a later version wrote it", ErrStep)

// A conversation is a record as the engine works with it. The zero one has not
// begun.
type conversation struct {
	version uint64
	alarm   time.Time
	envelope
}

// An envelope is what a record's sealed state holds.
type envelope struct {
	// Caller is the person's address.
	Caller string      `json:"caller,omitempty"`
	State  flows.State `json:"state"`
	// Tape writes the transcript of the present case. It stays when the case
	// ends, so that the end itself can be recorded, until another case begins.
	Tape *seal.Tape `json:"tape,omitempty"`
	// Former is the case before the present one: what is still to be said in
	// its thread may have been committed before the thread was there.
	Former *former `json:"former,omitempty"`
	// Handing is a case on its way from here to another conversation. Second is
	// a thread that has its second name: see [Engine.handOver].
	Handing *former      `json:"handing,omitempty"`
	Second  flows.PostID `json:"second,omitempty"`
}

type former struct {
	Case   seal.CaseID  `json:"case"`
	Thread flows.PostID `json:"thread"`
}

// succeed takes the next state and remembers the case that it leaves behind.
func (v *envelope) succeed(next flows.State) {
	old := presentCase(&v.State)
	if old != nil && !sameCase(old, presentCase(&next)) {
		v.Former = &former{Case: *old, Thread: v.State.Thread()}
	}
	v.State = next
}

// taped reports whether the tape is the case's.
func (v *envelope) taped(id *seal.CaseID) bool {
	return v.Tape != nil && id != nil && v.Tape.Case == *id
}

// thread returns the thread of the case that an item is of, "" if it is not
// known.
func (v *envelope) thread(it item) flows.PostID {
	switch {
	case sameCase(it.Case, presentCase(&v.State)) && v.State.Thread() != "":
		return v.State.Thread()
	case it.Case != nil && v.Former != nil && *it.Case == v.Former.Case && v.Former.Thread != "":
		return v.Former.Thread
	}
	return it.Thread
}

// load returns the conversation. found is false for one that has no record.
func (e *Engine) load(ctx context.Context, id string) (c conversation, found bool, err error) {
	rec, err := e.store.Load(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return conversation{}, false, nil
	}
	if err != nil {
		return conversation{}, false, e.damage(ctx, fmt.Errorf("engine: load: %w", err))
	}
	plain, err := e.vault.Open("state", stateKey(id, rec.Version), rec.State)
	if err != nil {
		return conversation{}, false, e.sealed(ctx, err)
	}
	c = conversation{version: rec.Version, alarm: rec.Alarm}
	if err := json.Unmarshal(plain, &c.envelope); err != nil {
		return conversation{}, false, errDamaged // The cause may quote the state.
	}
	return c, true, nil
}

// sealed tells what it means that something does not open: that the key is not
// the store's any more, which ends Run, or that this one thing is damaged.
func (e *Engine) sealed(ctx context.Context, cause error) error {
	if errors.Is(cause, seal.ErrNewerEpoch) {
		return fmt.Errorf("engine: %w", cause) // It passes; nothing is damaged.
	}
	if err := e.checkKey(ctx); err != nil {
		return err
	}
	return fmt.Errorf("%w (%w)", errDamaged, cause)
}

// damage tells what a failure of the store on one conversation means. If the
// store found damage and all the same reads and writes elsewhere, it is this
// conversation's; otherwise the failure is the store's and is returned as it is.
func (e *Engine) damage(ctx context.Context, cause error) error {
	if !errors.Is(cause, storage.ErrDamaged) || errors.Is(cause, storage.ErrFailed) {
		return cause
	}
	if err := e.checkKey(ctx); err != nil {
		return err
	}
	at := e.now()
	err := e.store.Commit(ctx, storage.Commit{
		ID:     probe,
		Events: []string{e.vault.Blind("event", "probe:"+strconv.FormatInt(at.UnixNano(), 10))},
		At:     at,
	})
	if err != nil && !errors.Is(err, storage.ErrDuplicate) {
		return fmt.Errorf("engine: the store is damaged for more than one conversation: %w", err)
	}
	return fmt.Errorf("%w (%w)", errDamaged, cause)
}

// probe is a conversation that never has a record. A commit on it tells whether
// the store takes any.
const probe = "probe"

// sealState seals the conversation as the record at its version.
func (e *Engine) sealState(id string, c *conversation) ([]byte, error) {
	plain, err := json.Marshal(&c.envelope)
	if err != nil {
		return nil, fmt.Errorf("%w: the state cannot be written", ErrStep) // The cause may quote it.
	}
	return e.vault.Seal("state", stateKey(id, c.version), plain), nil
}

// stateKey binds a sealed state to its conversation and version, so that an
// older one put back in its place does not open.
func stateKey(id string, version uint64) string {
	return id + ":" + strconv.FormatUint(version, 10)
}

// presentCase returns the state's case, nil if there is none.
func presentCase(s *flows.State) *seal.CaseID {
	if s.Case == nil {
		return nil
	}
	id := s.Case.ID
	return &id
}

func sameCase(a, b *seal.CaseID) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}
