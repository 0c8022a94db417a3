package storage

import (
	"encoding/binary"
	"time"
)

// All that the embedded store keeps is in one bbolt bucket. A key begins with
// a byte that says what it is; this is the whole list:
//
//	'v'                     → the format, "2"
//	'i' id                  → serial, a conversation's own number
//	'd' serial 'a'          → id: it is there as long as anything else is
//	'd' serial 'e' event    → the instant at which the event was handled
//	'd' serial 'q' lane seq → an item without its body; the first of a lane
//	                          is its head
//	'd' serial 'r'          → version, alarm, names, state
//	'n' name                → id
//	'a' instant id          → nothing: the alarms in order of time
//	't' instant serial event → nothing: the events in order of time
//	'b' seq                 → an item's body
//	'h' lane ^priority seq  → serial: the heads that may be leased, best first
//	'w' lane instant seq    → priority, serial: the heads that wait for an
//	                          instant
//	'p' lane instant seq    → nothing: the heads in 'h' that waited before
//	'c' lane                → how many items the lane has
//	'x' name                → whether there is a header, and the header
//	'y' len name seq        → an entry of a transcript
//
// len is one byte, lane and priority too. Numbers are big-endian, so that the
// order of the keys is the order of what they say; an instant is 8 bytes of
// seconds with the sign bit flipped and 4 of nanoseconds. seq and serial come
// from the bucket's sequence, which never repeats: it orders items by age, and
// lease tokens and entries use it as well.
//
// IDs are as good as random, and conversations that began at about the same
// time are busy at about the same time. With their keys side by side in the
// order in which they began, the busy ones share few pages, however many others
// the store keeps: a commit costs the pages that it changes.
const (
	bucketName = "suar"
	formatName = "2"
)

const (
	kindFormat       = 'v'
	kindSerial       = 'i'
	kindConversation = 'd'
	kindName         = 'n'
	kindAlarm        = 'a'
	kindEventTime    = 't'
	kindBody         = 'b'
	kindHead         = 'h'
	kindWaiting      = 'w'
	kindPast         = 'p'
	kindCount        = 'c'
	kindTranscript   = 'x'
	kindEntry        = 'y'
)

// The parts of a conversation: what follows its serial.
const (
	partID     = 'a'
	partEvent  = 'e'
	partItem   = 'q'
	partRecord = 'r'
)

// serialSize is the length of a conversation's prefix: the kind and the serial.
const serialSize = 1 + 8

const instantSize = 12

func appendInstant(b []byte, t time.Time) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(t.Unix())^1<<63)
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

func instantOf(b []byte) time.Time {
	sec := int64(binary.BigEndian.Uint64(b) ^ 1<<63)
	return time.Unix(sec, int64(binary.BigEndian.Uint32(b[8:]))).UTC()
}

func appendName(b []byte, name string) []byte {
	return append(append(b, byte(len(name))), name...)
}

func key(kind byte, name string) []byte {
	return append(append(make([]byte, 0, 1+len(name)), kind), name...)
}

// partKey is the key of a part of a conversation, or what such keys begin with.
// It has room for more.
func partKey(serial uint64, part byte) []byte {
	return append(conversationKey(serial), part)
}

func conversationKey(serial uint64) []byte {
	b := append(make([]byte, 0, serialSize+1+MaxName), kindConversation)
	return binary.BigEndian.AppendUint64(b, serial)
}

// serialOf returns the serial that the key of a conversation's part has.
func serialOf(key []byte) uint64 { return binary.BigEndian.Uint64(key[1:]) }

func alarmKey(at time.Time, id string) []byte {
	return append(appendInstant([]byte{kindAlarm}, at), id...)
}

func eventKey(serial uint64, event string) []byte {
	return append(partKey(serial, partEvent), event...)
}

func eventTimeKey(at time.Time, serial uint64, event string) []byte {
	b := append(make([]byte, 0, 1+instantSize+8+MaxName), kindEventTime)
	return append(binary.BigEndian.AppendUint64(appendInstant(b, at), serial), event...)
}

func laneKey(serial uint64, lane Lane) []byte {
	return append(partKey(serial, partItem), byte(lane))
}

func itemKey(serial uint64, lane Lane, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(laneKey(serial, lane), seq)
}

func bodyKey(seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kindBody}, seq)
}

func headKey(lane Lane, priority uint8, seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kindHead, byte(lane), ^priority}, seq)
}

// instantKey is the key of a head that waits, or of one that did.
func instantKey(kind byte, lane Lane, at time.Time, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(appendInstant([]byte{kind, byte(lane)}, at), seq)
}

func entriesKey(transcript string) []byte {
	return appendName([]byte{kindEntry}, transcript)
}

func entryKey(transcript string, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(entriesKey(transcript), seq)
}

// seqOf returns the number that an item's, a head's or an entry's key ends
// with.
func seqOf(key []byte) uint64 {
	return binary.BigEndian.Uint64(key[len(key)-8:])
}

// A boltRecord is the value of a record. Decoding panics where the value is
// too short: the edge of the store reports a panic as damage.
type boltRecord struct {
	version uint64
	alarm   time.Time
	names   []string
	state   []byte
}

func (r *boltRecord) encode() []byte {
	b := make([]byte, 0, 8+instantSize+2+len(r.names)*(MaxName+1)+len(r.state))
	b = binary.BigEndian.AppendUint64(b, r.version)
	b = appendInstant(b, r.alarm)
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.names)))
	for _, name := range r.names {
		b = appendName(b, name)
	}
	return append(b, r.state...)
}

// decodeRecord returns a record whose state is a part of b.
func decodeRecord(b []byte) boltRecord {
	r := boltRecord{
		version: binary.BigEndian.Uint64(b),
		alarm:   instantOf(b[8:]),
	}
	b = b[8+instantSize:]
	n := binary.BigEndian.Uint32(b)
	b = b[4:]
	for range n {
		end := 1 + int(b[0])
		r.names = append(r.names, string(b[1:end]))
		b = b[end:]
	}
	r.state = b
	return r
}

// A boltItem is an item without its body; seq is in its key, the rest in its
// value.
type boltItem struct {
	seq      uint64
	id       string
	priority uint8
	// token and tries are 0 until the item is leased for the first time; from
	// then on ready says when it can be leased again, and leased whether
	// somebody holds it until then, rather than that it was deferred.
	token  uint64
	tries  uint32
	leased bool
	ready  time.Time
}

func (i *boltItem) encode() []byte {
	b := make([]byte, 0, 2+8+4+instantSize+len(i.id))
	var leased byte
	if i.leased {
		leased = 1
	}
	b = append(b, i.priority, leased)
	b = binary.BigEndian.AppendUint64(b, i.token)
	b = binary.BigEndian.AppendUint32(b, i.tries)
	b = appendInstant(b, i.ready)
	return append(b, i.id...)
}

// decodeItem is false where the value is damaged: one item must not stop the
// others of its lane.
func decodeItem(key, b []byte) (boltItem, bool) {
	if len(b) <= 14+instantSize {
		return boltItem{seq: seqOf(key)}, false
	}
	return boltItem{
		seq:      seqOf(key),
		priority: b[0],
		leased:   b[1] == 1,
		token:    binary.BigEndian.Uint64(b[2:]),
		tries:    binary.BigEndian.Uint32(b[10:]),
		ready:    instantOf(b[14:]),
		id:       string(b[14+instantSize:]),
	}, true
}
