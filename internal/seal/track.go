package seal

import (
	"errors"
	"fmt"
)

// A Track is what a tape tells of the records that it has written: enough for
// the server to see that they are all there and unchanged, although it cannot
// read them, and not enough to write one more.
type Track struct {
	Case  CaseID
	Seq   uint64
	first [32]byte // head_0
	head  [32]byte // head_i
}

// Track returns the tape's track.
func (t Tape) Track() (Track, error) {
	if t.Epoch != 1 || len(t.Head) != 32 {
		return Track{}, errors.New("seal: not a tape of the first epoch")
	}
	k := Track{Case: t.Case, Seq: t.Seq}
	k.first = firstLink(t.Case, t.Epoch, [32]byte{}, [32]byte{}, t.Recipient).head
	copy(k.head[:], t.Head)
	return k, nil
}

// Check returns nil if the records are those that the tape has written, all of
// them and no other, and a *Fault if not. It does not prove what the tags prove,
// which are the officers' to check: that no record is older than it says.
func (k Track) Check(records [][]byte) error {
	if err := CheckRecords(records); err != nil {
		return err
	}
	switch n := uint64(len(records)); {
	case n < k.Seq:
		return &Fault{Kind: FaultCut, Detail: fmt.Sprintf("%d records were written, %d are here", k.Seq, n)}
	case n > k.Seq:
		return &Fault{Position: int(k.Seq) + 1, Kind: FaultForged, Detail: fmt.Sprintf("%d records were written, %d are here", k.Seq, n)}
	}
	l := link{head: k.first}
	for _, record := range records {
		l = l.next(record)
	}
	if l.head != k.head {
		return &Fault{Kind: FaultReplaced, Detail: "the records are not those that were written"}
	}
	return nil
}

// CheckRecords returns nil if the records have the form of records and their
// numbers go up from 1, all that can be told without a key or a tape, and a
// *Fault if not.
func CheckRecords(records [][]byte) error {
	for i, b := range records {
		f, err := parseRecord(b)
		switch {
		case err != nil:
			return &Fault{Position: i + 1, Kind: FaultChanged, Detail: "it has not the form of a record"}
		case f.seq != uint64(i)+1:
			return &Fault{Position: i + 1, Kind: FaultMoved, Detail: fmt.Sprintf("record %d is here where record %d belongs", f.seq, i+1)}
		}
	}
	return nil
}
