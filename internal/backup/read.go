package backup

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"time"

	"suar/storage"
)

// A File is a backup that was read once to its end and found whole. It is a
// [Source]: Dump may be called any number of times, by one caller at a time.
type File struct {
	file  *os.File
	made  time.Time
	tally Tally
}

// Open opens a backup and reads it to its end. It returns ErrNotBackup,
// ErrNewer, ErrCut or ErrAltered if it is not whole.
func Open(ctx context.Context, path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	f := &File{file: file}
	counted := newCounter()
	err = f.Dump(ctx, func(p storage.Piece) error {
		counted.add(p)
		return nil
	})
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	f.tally = counted.tally()
	return f, nil
}

// Made is when the backup was begun.
func (f *File) Made() time.Time { return f.made }

// Tally is what is in it.
func (f *File) Tally() Tally { return f.tally }

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Dump implements [Source]. What it gave counts only when it returned nil: that
// the file is whole shows at its end.
func (f *File) Dump(ctx context.Context, yield func(storage.Piece) error) error {
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	r := &reader{from: bufio.NewReaderSize(f.file, 1<<20), sum: sha256.New()}
	var err error
	if f.made, err = r.head(); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := r.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := yield(p); err != nil {
			return err
		}
	}
}

// A reader reads the format from its beginning.
type reader struct {
	from  *bufio.Reader
	sum   hash.Hash
	count uint64
}

// read returns the next n bytes. What a length says that lies is never allocated.
func (r *reader) read(n int) ([]byte, error) {
	var b bytes.Buffer
	_, err := io.CopyN(io.MultiWriter(&b, r.sum), r.from, int64(n))
	switch {
	case errors.Is(err, io.EOF):
		return nil, ErrCut
	case err != nil:
		return nil, fmt.Errorf("backup: %w", err)
	}
	return b.Bytes(), nil
}

func (r *reader) head() (time.Time, error) {
	b, err := r.read(len(magic))
	if err != nil && !errors.Is(err, ErrCut) {
		return time.Time{}, err
	}
	if string(b) != magic {
		return time.Time{}, ErrNotBackup
	}
	if b, err = r.read(4); err != nil {
		return time.Time{}, err
	}
	switch v := binary.BigEndian.Uint32(b); {
	case v > version:
		return time.Time{}, fmt.Errorf("%w (format %d, this version knows %d)", ErrNewer, v, version)
	case v == 0:
		return time.Time{}, ErrAltered
	}
	if b, err = r.read(8); err != nil {
		return time.Time{}, err
	}
	return time.Unix(int64(binary.BigEndian.Uint64(b)), 0).UTC(), nil
}

// next returns the next piece, or io.EOF after the last one of a whole file.
func (r *reader) next() (storage.Piece, error) {
	b, err := r.read(4)
	if err != nil {
		return storage.Piece{}, err
	}
	n := binary.BigEndian.Uint32(b)
	switch {
	case n == 0:
		return storage.Piece{}, r.end()
	case n > maxPiece:
		return storage.Piece{}, ErrAltered
	}
	if b, err = r.read(int(n)); err != nil {
		return storage.Piece{}, err
	}
	p, err := parsePiece(b)
	if err != nil {
		return storage.Piece{}, ErrAltered
	}
	r.count++
	return p, nil
}

func (r *reader) end() error {
	b, err := r.read(8)
	if err != nil {
		return err
	}
	want := r.sum.Sum(nil)
	sum, err := r.read(sha256.Size)
	if err != nil {
		return err
	}
	if _, err := r.from.ReadByte(); !errors.Is(err, io.EOF) ||
		binary.BigEndian.Uint64(b) != r.count || !bytes.Equal(sum, want) {
		return ErrAltered
	}
	return io.EOF
}
