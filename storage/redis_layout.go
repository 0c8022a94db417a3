package storage

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// All keys of a hotline in Redis begin with "{prefix}:", so that a Cluster
// keeps them in one slot: then one script can change what must change together,
// the order of the outbox holds over all conversations, and a further name is
// one conversation's only. This is the whole list:
//
//	store          string  the format and which store it is: "suar1 <40 hex>"
//	c:<id>         hash    a conversation: v its version, s its state, a its
//	                       alarm, n its further names, each with its length
//	                       before it; e<event> the instant at which the event
//	                       was handled; t<transcript> "": it is of this one
//	q<lane>:<id>   list    a conversation's items, the head first: each an
//	                       item without its body, and then its body
//	t:<transcript> list    '1' and the header or '0' if there is none; the id
//	                       of the conversation that added to it last, empty for
//	                       none; the entries
//	names          hash    further name → id
//	ids            sorted  id: all conversations of which something is kept
//	alarms         sorted  instant id
//	events         sorted  instant len id event
//	transcripts    sorted  transcript
//	orphans        sorted  transcript: those that are of no conversation
//	ready<lane>    sorted  place: the heads that may be leased, best first
//	waiting<lane>  sorted  instant place: the heads that wait for an instant
//	past<lane>     sorted  instant place: the heads in ready that waited before
//	counts         hash    lane → how many items it has
//	seq            string  a counter: items by age and lease tokens are from it
//	touched        string  a counter: see touch in index.lua
//	hold:<name>    string  instant holder
//	pace:<queue>   string  seconds and nanoseconds at which it would be idle
//	never                  no key of that name is ever there: see command
//
// In a sorted set all scores are 0: the order is that of the members' bytes. An
// instant is 12 bytes as in the embedded store, len one byte. An item without
// its body is
//
//	rank      3 digits   255 less its priority
//	age      20 digits
//	token    20 digits   the last lease's, 0 before the first one
//	tries    10 digits
//	manner    1 byte     'L' leased and 'D' deferred until the instant, '-' never
//	instant  12 bytes
//	ID
//
// and its place is rank, age and the conversation's id. Ages and tokens are the
// counter's value times 1,000, an age with the item's number in its commit. They
// are text and compared as text: the numbers of a script are exact to 2^53 only.
const (
	redisFormat = "suar1"
	// redisFilling takes the place of the format while the store is filled.
	redisFilling = redisFormat + "-filling"
)

const (
	redisRank    = 3
	redisDigits  = 20
	redisTries   = 10
	redisManner  = redisRank + 2*redisDigits + redisTries
	redisInstant = redisManner + 1
	redisItemID  = redisInstant + instantSize
	redisPlace   = redisRank + redisDigits
)

// errRedisLayout says that what was read is not as the list above has it.
var errRedisLayout = fmt.Errorf("%w: another program writes in this Redis under the same prefix", ErrDamaged)

func redisNames(names []string) string {
	var b []byte
	for _, name := range names {
		b = appendName(b, name)
	}
	return string(b)
}

func redisNamesOf(b string) ([]string, error) {
	var names []string
	for b != "" {
		end := 1 + int(b[0])
		if end > len(b) {
			return nil, errRedisLayout
		}
		names = append(names, b[1:end])
		b = b[end:]
	}
	return names, nil
}

func redisInstantOf(b string) (time.Time, error) {
	if len(b) != instantSize {
		return time.Time{}, errRedisLayout
	}
	return instantOf([]byte(b)), nil
}

func redisInstantText(t time.Time) string { return string(appendInstant(nil, t)) }

// redisAfter is the bound of a range of all members whose instant is not after
// t: the first bytes that no such member begins with. No instant has a
// nanosecond more than a second has, so that nothing carries.
func redisAfter(t time.Time) string {
	b := appendInstant(nil, t)
	for i := len(b) - 1; ; i-- {
		if b[i]++; b[i] != 0 || i == 0 {
			return string(b)
		}
	}
}

// redisPrefixEnd is the first name after all that begin with the prefix, and
// false if there is none.
func redisPrefixEnd(prefix string) (string, bool) {
	for last := len(prefix) - 1; last >= 0; last-- {
		if prefix[last] != 0xff {
			return prefix[:last] + string([]byte{prefix[last] + 1}), true
		}
	}
	return "", false
}

// redisItem is an item as a list keeps it, without its body.
func redisItem(q Queued) string {
	manner := "-"
	var until [instantSize]byte
	switch {
	case !q.Until.IsZero():
		manner = "D"
		appendInstant(until[:0], q.Until)
	case q.Token != 0:
		manner = "L"
	}
	return fmt.Sprintf("%03d%020d%020d%010d%s%s%s", 255-int(q.Priority), q.Age, q.Token, q.Tries, manner, until[:], q.ID)
}

// redisItemOf reads what redisItem or a script wrote. A lease is no part of it.
func redisItemOf(item string, lane Lane, body string) (Queued, error) {
	if len(item) <= redisItemID {
		return Queued{}, errRedisLayout
	}
	digits := func(from, n int) uint64 {
		v, err := strconv.ParseUint(item[from:from+n], 10, 64)
		if err != nil {
			return 1<<64 - 1
		}
		return v
	}
	rank, age := digits(0, redisRank), digits(redisRank, redisDigits)
	token := digits(redisRank+redisDigits, redisDigits)
	tries := digits(redisRank+2*redisDigits, redisTries)
	if rank > 255 || max(age, token, tries) == 1<<64-1 {
		return Queued{}, errRedisLayout
	}
	q := Queued{
		Item: Item{ID: item[redisItemID:], Lane: lane, Priority: uint8(255 - rank), Body: []byte(body)},
		Age:  age, Token: token, Tries: int(tries),
	}
	if item[redisManner] == 'D' {
		q.Until = instantOf([]byte(item[redisInstant:redisItemID]))
	}
	return q, nil
}

var errRedisPrefix = errors.New("storage: the prefix of the keys in Redis must have 1 to 64 bytes and neither { nor }")
