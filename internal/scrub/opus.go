package scrub

import (
	"bytes"
	"encoding/binary"
)

// The flags of a page.
const (
	oggContinued = 1 // it goes on with a packet of the page before
	oggFirst     = 2
	oggLast      = 4
)

// An oggPage is a page of an Ogg stream.
type oggPage struct {
	flags   byte
	granule uint64 // where in time it ends
	serial  uint32
	// lacing are the lengths of the packets' parts, body the parts.
	lacing, body []byte
}

// cleanOpus keeps the head and the sound of a voice message: one stream, as
// Telegram makes them. The page with the notes (the program, a title, a
// picture) becomes one without any; the stream's number, which is drawn at
// random by a device, becomes 1.
func cleanOpus(raw []byte) ([]byte, bool) {
	head, rest, ok := cutPage(raw)
	if !ok || head.flags != oggFirst || len(head.lacing) != 1 || !opusHead(head.body) {
		return nil, false
	}
	notes, rest, ok := cutPage(rest)
	if !ok || notes.flags != 0 || notes.serial != head.serial || !bytes.HasPrefix(notes.body, []byte("OpusTags")) {
		return nil, false
	}
	// Notes with a picture go over several pages; the last one ends with them.
	for notes.lacing[len(notes.lacing)-1] == 255 {
		if notes, rest, ok = cutPage(rest); !ok || notes.flags != oggContinued || notes.serial != head.serial {
			return nil, false
		}
	}
	empty := []byte("OpusTags\x00\x00\x00\x00\x00\x00\x00\x00")
	out := head.append(nil, 0)
	out = oggPage{lacing: []byte{byte(len(empty))}, body: empty}.append(out, 1)
	for n := uint32(2); ; n++ {
		page, after, ok := cutPage(rest)
		if !ok || page.serial != head.serial || page.flags&oggFirst != 0 {
			return nil, false
		}
		rest = after
		if len(rest) == 0 {
			page.flags |= oggLast
		}
		out = page.append(out, n)
		if page.flags&oggLast != 0 {
			return out, true // What comes behind is not the message's.
		}
	}
}

// opusHead says whether a packet is the head of one or two channels of sound
// and nothing else.
func opusHead(p []byte) bool {
	return len(p) == 19 && bytes.HasPrefix(p, []byte("OpusHead")) && p[8] == 1 && (p[9] == 1 || p[9] == 2) && p[18] == 0
}

// cutPage cuts the next page off and checks its sum.
func cutPage(rest []byte) (p oggPage, after []byte, ok bool) {
	if len(rest) < 27 || string(rest[:5]) != "OggS\x00" || rest[5] > oggContinued|oggFirst|oggLast {
		return p, nil, false
	}
	segments := int(rest[26])
	if segments == 0 || len(rest) < 27+segments {
		return p, nil, false
	}
	p = oggPage{
		flags:   rest[5],
		granule: binary.LittleEndian.Uint64(rest[6:]),
		serial:  binary.LittleEndian.Uint32(rest[14:]),
		lacing:  rest[27 : 27+segments],
	}
	n := 0
	for _, part := range p.lacing {
		n += int(part)
	}
	end := 27 + segments + n
	if end > len(rest) {
		return p, nil, false
	}
	p.body = rest[27+segments : end]
	sum := oggSum(rest[:22], []byte{0, 0, 0, 0}, rest[26:end])
	return p, rest[end:], binary.LittleEndian.Uint32(rest[22:]) == sum
}

// append writes the page as the nth of stream 1.
func (p oggPage) append(out []byte, n uint32) []byte {
	begin := len(out)
	out = append(out, "OggS\x00"...)
	out = append(out, p.flags)
	out = binary.LittleEndian.AppendUint64(out, p.granule)
	out = binary.LittleEndian.AppendUint32(out, 1)
	out = binary.LittleEndian.AppendUint32(out, n)
	out = binary.LittleEndian.AppendUint32(out, 0)
	out = append(out, byte(len(p.lacing)))
	out = append(append(out, p.lacing...), p.body...)
	if n == 0 {
		out[begin+5] = oggFirst
	}
	binary.LittleEndian.PutUint32(out[begin+22:], oggSum(out[begin:]))
	return out
}

// oggSum is the page's sum: CRC-32 of polynomial 0x04c11db7, not reflected.
func oggSum(parts ...[]byte) uint32 {
	var sum uint32
	for _, part := range parts {
		for _, b := range part {
			sum ^= uint32(b) << 24
			for range 8 {
				carry := sum >> 31
				sum = sum<<1 ^ 0x04c11db7*carry
			}
		}
	}
	return sum
}
