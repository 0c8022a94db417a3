package seal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

const (
	recordMagic  = "HLE1"
	recordPrefix = len(recordMagic) + 8 + 4
	tagSize      = sha256.Size
	// maxRecord bounds a record: an entry of maxEntry bytes with age's header
	// for one hybrid recipient, and room.
	maxRecord = 64 << 10
)

var errRecord = errors.New("seal: not a record")

// A framed is a record as its bytes say, nothing of it proven.
type framed struct {
	seq   uint64
	entry []byte // an age file
	tag   [tagSize]byte
}

// parseRecord takes a record apart. framed.bytes gives the same bytes back.
func parseRecord(b []byte) (framed, error) {
	if len(b) < recordPrefix+tagSize || len(b) > maxRecord || string(b[:len(recordMagic)]) != recordMagic {
		return framed{}, errRecord
	}
	f := framed{seq: binary.BigEndian.Uint64(b[len(recordMagic):])}
	rest := b[recordPrefix:]
	if uint64(binary.BigEndian.Uint32(b[recordPrefix-4:])) != uint64(len(rest)-tagSize) {
		return framed{}, errRecord
	}
	f.entry = rest[:len(rest)-tagSize]
	copy(f.tag[:], rest[len(rest)-tagSize:])
	return f, nil
}

// untagged returns the record's bytes without the tag, with room for it.
func (f framed) untagged() []byte {
	b := make([]byte, 0, recordPrefix+len(f.entry)+tagSize)
	b = append(b, recordMagic...)
	b = binary.BigEndian.AppendUint64(b, f.seq)
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.entry)))
	return append(b, f.entry...)
}

func (f framed) bytes() []byte { return append(f.untagged(), f.tag[:]...) }

// A link is where the chain stands: what the next record is bound to.
type link struct {
	caseID CaseID
	epoch  uint32
	mac    [32]byte // a_i
	head   [32]byte // head_i
}

// firstLink is where an epoch's chain begins.
func firstLink(id CaseID, epoch uint32, mac0, prevHead [32]byte, recipient string) link {
	h := sha256.New()
	h.Write([]byte("hl1 head"))
	h.Write(id[:])
	h.Write(binary.BigEndian.AppendUint32(nil, epoch))
	h.Write(prevHead[:])
	h.Write([]byte(recipient))
	l := link{caseID: id, epoch: epoch, mac: mac0}
	h.Sum(l.head[:0])
	return l
}

// tag is the record's tag at this place in the chain.
func (l link) tag(untagged []byte) [tagSize]byte {
	m := hmac.New(sha256.New, expand(l.mac, "hl1 mac tag"))
	m.Write(l.caseID[:])
	m.Write(binary.BigEndian.AppendUint32(nil, l.epoch))
	m.Write(l.head[:])
	m.Write(untagged)
	var tag [tagSize]byte
	m.Sum(tag[:0])
	return tag
}

// next is the chain after record.
func (l link) next(record []byte) link {
	h := sha256.New()
	h.Write(l.head[:])
	h.Write(record)
	h.Sum(l.head[:0])
	copy(l.mac[:], expand(l.mac, "hl1 mac next"))
	return l
}

func expand(mac [32]byte, label string) []byte {
	k, err := hkdf.Expand(sha256.New, mac[:], label, sha256.Size)
	if err != nil {
		panic(err) // Only a length beyond 255 hashes is refused.
	}
	return k
}
