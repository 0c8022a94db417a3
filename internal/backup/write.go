package backup

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"suar/storage"
)

// draftMark is in the name of a file that is still being written.
const draftMark = ".draft-"

// Save writes everything that the source keeps into a new file, readable by its
// owner only, and returns what it is. Under the path is the whole file, on the
// disk, or nothing. A file that is there already is left as it is: then the
// error is an fs.ErrExist.
func Save(ctx context.Context, path string, made time.Time, from Source) (t Tally, err error) {
	if _, err := os.Lstat(path); err == nil {
		return t, fmt.Errorf("backup: %w", &fs.PathError{Op: "write", Path: path, Err: fs.ErrExist})
	}
	draft, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+draftMark+"*")
	if err != nil {
		return t, fmt.Errorf("backup: %w", err)
	}
	defer func() {
		if gone := os.Remove(draft.Name()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	t, err = write(ctx, draft, made, from)
	if err == nil {
		err = draft.Sync()
	}
	if err = errors.Join(err, draft.Close()); err != nil {
		return t, fmt.Errorf("backup: %w", err)
	}
	if err := publish(draft.Name(), path); err != nil {
		return t, fmt.Errorf("backup: %w", err)
	}
	return t, nil
}

// publish gives the draft its name, unless something has it, and brings the
// name to the disk.
func publish(draft, path string) error {
	err := os.Link(draft, path)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		// A file system without links, such as a stick's.
		if _, there := os.Lstat(path); there == nil {
			return &fs.PathError{Op: "write", Path: path, Err: fs.ErrExist}
		}
		err = os.Rename(draft, path)
	}
	if err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// write writes the format.
func write(ctx context.Context, to io.Writer, made time.Time, from Source) (Tally, error) {
	sum := sha256.New()
	buffered := bufio.NewWriterSize(to, 1<<20)
	w := io.MultiWriter(buffered, sum)
	head := binary.BigEndian.AppendUint32([]byte(magic), version)
	if _, err := w.Write(binary.BigEndian.AppendUint64(head, uint64(made.Unix()))); err != nil {
		return Tally{}, err
	}
	counted := newCounter()
	pieces := uint64(0)
	var frame []byte
	err := from.Dump(ctx, func(p storage.Piece) error {
		frame = appendPiece(append(frame[:0], 0, 0, 0, 0), p)
		if len(frame)-4 > maxPiece {
			return fmt.Errorf("a conversation has more than %d bytes", maxPiece)
		}
		binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
		counted.add(p)
		pieces++
		_, err := w.Write(frame)
		return err
	})
	if err != nil {
		return Tally{}, err
	}
	if _, err := w.Write(binary.BigEndian.AppendUint64([]byte{0, 0, 0, 0}, pieces)); err != nil {
		return Tally{}, err
	}
	if _, err := buffered.Write(sum.Sum(nil)); err != nil {
		return Tally{}, err
	}
	return counted.tally(), buffered.Flush()
}
