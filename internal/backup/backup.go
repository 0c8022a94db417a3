// Package backup writes all that a store keeps into one file, reads it back,
// and copies one store into another. It opens nothing: what the engine sealed
// is in a backup as it is in the store.
//
// # The file
//
//	"suar backup\n"
//	u32   version, 1
//	i64   when the backup was begun, seconds since 1970
//	      then for each piece
//	u32   its length, 1 to 2^30
//	      its bytes
//	      and at the end
//	u32   0
//	u64   the count of pieces
//	32 bytes   SHA-256 of everything before
//
// All numbers are big-endian. A text, or bytes, is its length as a u32 and the
// bytes; a list is its length as a u32 and its members; an instant is i64
// seconds since 1970 and u32 nanoseconds, the zero instant being the beginning
// of year 1. A piece is a [storage.Piece]:
//
//	text     ID
//	u64      version
//	bytes    state
//	list of text    further names
//	instant  alarm
//	list of {text, instant}    events, and when each was handled
//	list of items: text ID, u8 lane, u8 priority, bytes body, u64 age,
//	         u32 tries, u64 token, instant until
//	list of transcripts, by name: text name, u8 whether there is a header,
//	         bytes header, if there is one, list of bytes entries
//
// Of a conversation or a transcript that is there twice the later counts: the
// store was in use while the backup was made.
//
// # What it tells without a key
//
// How many conversations, cases and waiting effects there are; blind names;
// when a conversation's alarm is, and when its events of the last two days were
// handled; how urgent an effect is; how many records a transcript has; and the
// size of everything, sealed bytes being padded to a power of two. Not who, and
// not a word.
//
// The SHA-256 finds what a disk or a copy did to the file. It proves nothing
// about somebody who can write to it: what protects against them is that what
// is sealed opens only at its own place, with the vault's key.
package backup

import (
	"context"
	"errors"

	"suar/storage"
)

var (
	// ErrNotBackup says that a file is none of ours.
	ErrNotBackup = errors.New("backup: the file is no backup of suar")
	// ErrNewer says that a later version of the program wrote the file.
	ErrNewer = errors.New("backup: the file was written by a newer version of suar: read it with that one")
	// ErrCut says that the file ends before its end.
	ErrCut = errors.New("backup: the file is cut: a part of it is missing at its end")
	// ErrAltered says that the file is not as it was written.
	ErrAltered = errors.New("backup: the file was altered since it was written, or its medium is damaged")
	// ErrChanged says that a store changed while it was being copied.
	ErrChanged = errors.New("backup: the source changed while it was being copied: something uses it")
	// ErrDiffers says that a store does not keep what was put into it.
	ErrDiffers = errors.New("backup: what was written does not read back the same: do not use it")
)

const (
	magic    = "suar backup\n"
	version  = 1
	maxPiece = 1 << 30
)

// A Source gives everything that it keeps: see [storage.Store].
type Source interface {
	Dump(ctx context.Context, yield func(storage.Piece) error) error
}

// A Target takes everything in one go: see [storage.Store].
type Target interface {
	Source
	Fill(ctx context.Context, next func() (storage.Piece, error)) error
}
