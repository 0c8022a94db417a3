package storage

import (
	"encoding/binary"
	"time"
)

// All that the embedded store keeps is in one table of keys in order. A key
// begins with a byte that says what it is; this is the whole list:
//
//	'#'                          → the number that the next process begins with
//	'a' instant serial           → nothing: the alarms in order of time
//	'c' serial 'e' event         → the instant at which the event was handled
//	'c' serial 'r'               → id, version, alarm, names, the events that it
//	                               knows, state
//	'e' instant serial event     → nothing: the events in order of time
//	'i' id                       → serial, a conversation's own number
//	'n' name                     → id
//	'o' lane serial age          → an item of the outbox, its lease and its body
//	't' name                     → number, a transcript's own
//	'w' number 'e' seq           → an entry of a transcript
//	'w' number 'h'               → a transcript's header, if it has one
//
// lane is one byte. Numbers are big-endian, so that the order of the keys is
// the order of what they say; an instant is 8 bytes of seconds with the sign bit
// flipped and 4 of nanoseconds. serial, age, number, seq and the tokens of leases
// come from one counter, which never repeats.
//
// IDs are as good as random, and conversations that began at about the same
// time are busy at about the same time. Their serials lie side by side, so that
// the background rewrites what is busy and leaves the rest alone, however much
// that is: no file holds keys of two kinds, but for the names.
//
// An alarm that moves to a later instant leaves its key where it is: Due finds
// that it is early, and moves it then. Most alarms move with every step and
// never go off.
const (
	keyNumbers      = '#'
	keyAlarm        = 'a'
	keyConversation = 'c'
	keyEventTime    = 'e'
	keySerial       = 'i'
	keyName         = 'n'
	keyItem         = 'o'
	keyTranscript   = 't'
	keyContent      = 'w'
)

// spans are the keys with which a new file begins.
const spans = "aceiotw"

// The parts of a conversation or a transcript: what follows its number.
const (
	partEvent  = 'e'
	partRecord = 'r'
	partEntry  = 'e'
	partHeader = 'h'
)

// numberedSize is the length of what all keys of one conversation or one
// transcript begin with: the kind and the number.
const numberedSize = 1 + 8

const instantSize = 12

// keyRoom is enough for any key.
const keyRoom = 1 + instantSize + 8 + MaxName

func appendInstant(b []byte, t time.Time) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(t.Unix())^1<<63)
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

func instantOf(b []byte) time.Time {
	sec := int64(binary.BigEndian.Uint64(b) ^ 1<<63)
	return time.Unix(sec, int64(binary.BigEndian.Uint32(b[8:]))).UTC()
}

// key is the key of what has a name.
func key(kind byte, name string) []byte {
	return append(append(make([]byte, 0, 1+len(name)), kind), name...)
}

// numbered is what the keys of a conversation or a transcript begin with. It
// has room for more.
func numbered(kind byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, keyRoom), kind), number)
}

func partKey(kind byte, number uint64, part byte) []byte {
	return append(numbered(kind, number), part)
}

// numberIn returns the number in the key of a part.
func numberIn(key []byte) uint64 { return binary.BigEndian.Uint64(key[1:]) }

func recordKey(serial uint64) []byte { return partKey(keyConversation, serial, partRecord) }

func eventKey(serial uint64, event string) []byte {
	return append(partKey(keyConversation, serial, partEvent), event...)
}

func entryKey(number, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(partKey(keyContent, number, partEntry), seq)
}

func alarmKey(at time.Time, serial uint64) []byte {
	b := append(make([]byte, 0, keyRoom), keyAlarm)
	return binary.BigEndian.AppendUint64(appendInstant(b, at), serial)
}

func eventTimeKey(at time.Time, serial uint64, event string) []byte {
	b := append(make([]byte, 0, keyRoom), keyEventTime)
	return append(binary.BigEndian.AppendUint64(appendInstant(b, at), serial), event...)
}

// timed returns what follows the kind in the key of an alarm or of an event in
// order of time.
func timed(key []byte) (at time.Time, serial uint64, rest []byte) {
	return instantOf(key[1:]), binary.BigEndian.Uint64(key[1+instantSize:]), key[1+instantSize+8:]
}

func laneKey(lane Lane, serial uint64) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, keyRoom), keyItem, byte(lane)), serial)
}

func itemKey(lane Lane, serial, age uint64) []byte {
	return binary.BigEndian.AppendUint64(laneKey(lane, serial), age)
}

// itemSize is the length of an item's key.
const itemSize = 1 + 1 + 8 + 8

// seqOf returns the number that an item's or an entry's key ends with.
func seqOf(key []byte) uint64 { return binary.BigEndian.Uint64(key[len(key)-8:]) }
