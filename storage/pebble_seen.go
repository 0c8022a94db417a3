package storage

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// maxSeen is how many events of a conversation its record knows.
const maxSeen = 64

// seen is what a record knows of its conversation's events: as many as it has
// places for, by two bytes each. So a new event is known for one without looking
// for it. Events that were swept stay in it, and two may look alike: what looks
// seen is looked for.
type seen struct {
	marks []uint16
	// some says that there were more events than places: then nothing is known.
	some bool
}

func markOf(event string) uint16 { return uint16(crc32.ChecksumIEEE([]byte(event))) }

// lacks tells that the event was certainly not committed before.
func (s *seen) lacks(event string) bool {
	return !s.some && !slices.Contains(s.marks, markOf(event))
}

func (s *seen) add(event string) {
	if s.some || len(s.marks) >= maxSeen {
		s.marks, s.some = nil, true
		return
	}
	s.marks = append(s.marks, markOf(event))
}

// encode appends it to b.
func (s *seen) encode(b []byte) []byte {
	if s.some {
		return append(b, maxSeen+1)
	}
	b = append(b, byte(len(s.marks)))
	for _, mark := range s.marks {
		b = binary.BigEndian.AppendUint16(b, mark)
	}
	return b
}

func (v *value) seen() (s seen) {
	n := int(v.one())
	if n > maxSeen {
		s.some = true
		v.bad = v.bad || n > maxSeen+1
		return s
	}
	marks := v.take(2 * n)
	for len(marks) > 0 {
		s.marks = append(s.marks, binary.BigEndian.Uint16(marks))
		marks = marks[2:]
	}
	return s
}
