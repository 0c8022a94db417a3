// Package storage keeps what the hotline must not lose: opaque bytes under
// opaque names. It cannot read what it keeps (the engine seals it first), has
// no clock and draws no random numbers: every instant is an argument.
//
// One conversation is one record with a version, a set of further names, an
// alarm, an outbox in three lanes and, once there is a case, a transcript. All
// that one step changes is one [Commit]; it is kept whole or not at all.
package storage

import (
	"context"
	"errors"
	"time"
)

var (
	// ErrNotFound says that nothing is kept under the name. The caller treats
	// the conversation as new, or the name as nobody's.
	ErrNotFound = errors.New("storage: not found")
	// ErrConflict says that the record is no longer at Commit.Version. The
	// caller loads it and steps again.
	ErrConflict = errors.New("storage: conflict")
	// ErrDuplicate says that the event was committed before. The caller has
	// nothing left to do and may confirm the event to its source.
	ErrDuplicate = errors.New("storage: duplicate event")
	// ErrLeaseLost says that the lease ran out and somebody else took the item
	// over, or that it is delivered already. The caller drops its result: the
	// other one's counts.
	ErrLeaseLost = errors.New("storage: lease lost")
	// ErrNameTaken says that another conversation holds one of the commit's
	// further names. Nothing was committed, and it will not be later: the
	// caller puts the event aside.
	ErrNameTaken = errors.New("storage: another conversation has the name")
	// ErrHeld says that somebody else holds what was asked for.
	ErrHeld = errors.New("storage: held by another")
	// ErrNotEmpty says that a store that was to be filled keeps something
	// already. It was not changed.
	ErrNotEmpty = errors.New("storage: the store is not empty: fill a new one")
)

// Lane says which dispatcher an item waits for. A conversation's items in one
// lane are leased in the order in which they were committed, one at a time.
type Lane uint8

// The lanes. The numbers are kept on disk: never renumber them.
const (
	LaneCaller   Lane = 1
	LaneOfficers Lane = 2
	LaneKeeper   Lane = 3
	LanePager    Lane = 4
)

// Lanes returns all lanes, in the order of their numbers.
func Lanes() []Lane { return []Lane{LaneCaller, LaneOfficers, LaneKeeper, LanePager} }

// An Item is an effect that waits to be performed.
type Item struct {
	// ID is unique for ever, at most 64 bytes, and the same whenever the same
	// event is stepped again.
	ID   string
	Lane Lane
	// Priority orders the heads of different conversations within a lane:
	// higher is leased first. It never reorders one conversation's items.
	Priority uint8
	Body     []byte
}

// A Commit is everything that one event changes.
type Commit struct {
	// ID names the conversation: opaque, at most 64 bytes.
	ID string
	// Version is the version that this commit follows; 0 if the conversation
	// has no record. The record's new version is Version+1. A record's
	// versions start again at 1 after it was erased.
	Version uint64
	// Events are the identities, at their source, of the events that the commit
	// is of: one as a rule, none for a change that no event asked for, several
	// that came together and were stepped in this order. Opaque, 1 to 64 bytes
	// each, distinct, at most 100. A commit with an identity already seen for
	// this conversation, also one seen before the record was erased, is
	// ErrDuplicate, and nothing of it is kept: the caller hands the events over
	// one by one.
	Events []string
	// At is when the events were handled. Their identities are kept until a
	// Sweep with a later instant.
	At time.Time
	// State replaces the record's state. nil erases the record: its state, its
	// names and its alarm go; its outbox and its transcript stay.
	State []byte
	// Names is the whole set of further names by which Resolve finds the
	// conversation from now on; opaque, at most 64 bytes each. A name that
	// another conversation holds is ErrNameTaken.
	Names []string
	// Alarm is when Due reports the conversation; zero for never.
	Alarm time.Time
	// Items are appended to the outbox. More than 1,000 is an error.
	Items []Item
	// Transcript names the transcript that Header and Entries belong to;
	// opaque, at most 64 bytes. Empty if the commit has neither.
	Transcript string
	// Header, if not nil, replaces the transcript's header.
	Header []byte
	// Entries are appended to the transcript.
	Entries [][]byte
	// Ack is the leased item whose outcome the event reports. It leaves the
	// outbox with this commit; if the lease is lost, nothing is committed.
	Ack *Lease
}

// A Record is a conversation as it was last committed.
type Record struct {
	Version uint64
	State   []byte
	Alarm   time.Time
}

// A Lease is the right to perform one item until it runs out.
type Lease struct {
	Conversation string
	Item         string
	Lane         Lane
	// Token grows each time the item is leased: the fence against a holder
	// that was believed dead.
	Token uint64
}

// A Leased is an item to perform.
type Leased struct {
	Lease
	Body []byte
	// Tries counts the leases of this item so far, this one included.
	Tries int
}

// A Transcript is what was said in one case, as it was sealed.
type Transcript struct {
	Header  []byte
	Entries [][]byte
}

// A Store keeps conversations. All methods may be called concurrently, and
// none keeps or changes a slice it was given or gives one that changes later.
// When a write returns nil it survives the end of the process and of the
// machine's power. When it returns an error other than the ones above, it may
// or may not have been kept: the caller repeats it, and Event and Version make
// the repetition harmless. All instants are stored to the nanosecond, in UTC.
//
// Package storagetest is the contract as a suite; every Store passes it.
type Store interface {
	// Load returns a conversation's record, or ErrNotFound.
	Load(ctx context.Context, id string) (Record, error)
	// Resolve returns the ID of the conversation that has the further name, or
	// ErrNotFound.
	Resolve(ctx context.Context, name string) (string, error)
	// Commit keeps c. It returns ErrDuplicate before it looks at anything else,
	// then ErrLeaseLost, then ErrConflict, then ErrNameTaken.
	Commit(ctx context.Context, c Commit) error
	// CommitAndLease is Commit and, in the same transaction, Lease at c.At of
	// the heads that the conversation then has in the given lanes, in the order
	// of the lanes: who performs at once what he committed need not ask for it.
	// After an error nothing is known to be leased; what was runs out.
	CommitAndLease(ctx context.Context, c Commit, until time.Time, lanes ...Lane) ([]Leased, error)

	// Lease takes up to n items that are heads of their conversation's lane,
	// not leased beyond now and not deferred beyond now, and holds them until
	// the given instant: highest priority first, then the oldest.
	// A head that is damaged is passed over: the others come together with an
	// error that tells of it once.
	Lease(ctx context.Context, lane Lane, n int, now, until time.Time) ([]Leased, error)
	// Defer gives a leased item back, to be leased again not before the given
	// instant. The items behind it in its lane wait with it.
	Defer(ctx context.Context, l Lease, until time.Time) error
	// Waiting counts the items of a lane and tells since when its next
	// deferred or leased head can be leased, zero if there is none.
	Waiting(ctx context.Context, lane Lane) (count int, next time.Time, err error)

	// Due returns up to n conversations whose alarm is not after now, the
	// earliest first. An alarm stays due until a commit moves it.
	Due(ctx context.Context, now time.Time, n int) ([]string, error)

	// Transcript returns a transcript, or ErrNotFound.
	Transcript(ctx context.Context, name string) (Transcript, error)
	// Transcripts returns the names of up to n transcripts that begin with
	// prefix, in order.
	Transcripts(ctx context.Context, prefix string, n int) ([]string, error)
	// Forget erases a transcript. Forgetting what is not there is no error.
	Forget(ctx context.Context, transcript string) error
	// Sweep drops the identities of events handled before the given instant,
	// at most n of them, and returns how many it dropped.
	Sweep(ctx context.Context, before time.Time, n int) (int, error)

	// Hold makes the holder the one that holds the name until the given
	// instant, unless somebody else holds it beyond now: then ErrHeld. The same
	// holder prolongs what it holds, and an instant not after now gives it up.
	// It need not survive the end of all processes that use the store.
	Hold(ctx context.Context, name, holder string, now, until time.Time) error
	// Pace takes a place in a queue that moves at an even pace, and returns
	// the instant at which it is the caller's turn: now, or later. A place costs
	// the given time, and the queue may run ahead by burst: with a cost of one
	// second and a burst of three, three turns come at once and then one a
	// second. All that use the store share the queue, which is kept to the
	// microsecond; it is forgotten when it is idle, and need not survive the end
	// of all of them.
	Pace(ctx context.Context, queue string, now time.Time, cost, burst time.Duration) (time.Time, error)

	// Dump gives everything that is kept, as pieces, to yield, until it returns
	// an error, which Dump returns. Every piece is as it was at one instant; of
	// one that is given twice the later counts. Leases, holds and queues are
	// not part of it: an item that is leased is given as one that can be.
	Dump(ctx context.Context, yield func(Piece) error) error
	// Fill keeps the pieces in a store that is empty; otherwise it returns
	// ErrNotEmpty. next returns io.EOF after the last piece. After an error the
	// store is not to be used: it may hold some of the pieces. A piece replaces
	// an earlier one of the same conversation, and its transcripts earlier ones
	// of the same name; a further name that two conversations have is the later
	// one's.
	Fill(ctx context.Context, next func() (Piece, error)) error

	// Close releases the store. What was committed is safe without it.
	Close() error
}
