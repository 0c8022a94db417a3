package scrub

import (
	"bytes"
	"encoding/binary"
)

// Markers of a JPEG, each after a byte of 0xff.
const (
	jpegSOI  = 0xd8 // the beginning
	jpegEOI  = 0xd9 // the end
	jpegSOF0 = 0xc0 // the frame: baseline, extended and progressive
	jpegSOF2 = 0xc2
	jpegDHT  = 0xc4 // Huffman tables
	jpegDQT  = 0xdb // quantisation tables
	jpegDRI  = 0xdd // how often the decoder starts anew
	jpegSOS  = 0xda // a scan, with its coded data behind it
	jpegAPP  = 0xe0 // 16 kinds of segments of programs: Exif, XMP, profiles
	jpegRST  = 0xd0 // 8 marks within coded data
	// jpegAdobe is the program's segment that says how colours are kept; without
	// it some pictures have the wrong ones.
	jpegAdobe = 0xee
)

const (
	// maxScans bounds what a progressive picture makes a decoder do.
	maxScans = 64
	// maxTables bounds the segments of tables.
	maxTables = 512
)

// cleanJPEG keeps the frame, the tables and the scans, each checked to hold
// nothing but itself, and ends the file with the picture.
func cleanJPEG(raw []byte) ([]byte, bool) {
	out := []byte{0xff, jpegSOI}
	rest := raw[2:]
	var components, scans, tables int
	for {
		marker, body, after, ok := jpegSegment(rest)
		if !ok {
			return nil, false
		}
		rest = after
		switch {
		case marker == jpegEOI:
			return append(out, 0xff, jpegEOI), scans > 0
		case marker == jpegDHT || marker == jpegDQT || marker == jpegDRI:
			if tables++; tables > maxTables || !jpegTable(marker, body) {
				return nil, false
			}
		case marker >= jpegSOF0 && marker <= jpegSOF2:
			if components > 0 || !jpegFrame(body) {
				return nil, false
			}
			components = int(body[5])
		case marker == jpegSOS:
			if scans++; components == 0 || scans > maxScans || !jpegScan(body, components) {
				return nil, false
			}
			n := jpegCoded(rest)
			out = append(jpegAppend(out, marker, body), rest[:n]...)
			rest = rest[n:]
			continue
		case marker == jpegAdobe && len(body) == 12 && bytes.HasPrefix(body, []byte("Adobe")) && components == 0:
			// All but the kind of colours says which program it was.
			out = jpegAppend(out, marker, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), body[11]))
			continue
		case marker >= jpegAPP && marker <= jpegAPP+15, marker == 0xfe:
			continue
		default:
			return nil, false
		}
		out = jpegAppend(out, marker, body)
	}
}

// jpegSegment cuts the next segment off; body is empty for the end.
func jpegSegment(rest []byte) (marker byte, body, after []byte, ok bool) {
	if len(rest) < 2 || rest[0] != 0xff {
		return 0, nil, nil, false
	}
	for len(rest) > 1 && rest[1] == 0xff { // It may be filled up with these.
		rest = rest[1:]
	}
	if len(rest) < 2 {
		return 0, nil, nil, false
	}
	if rest[1] == jpegEOI {
		return jpegEOI, nil, rest[2:], true
	}
	if len(rest) < 4 {
		return 0, nil, nil, false
	}
	n := 2 + int(binary.BigEndian.Uint16(rest[2:]))
	if n < 4 || n > len(rest) {
		return 0, nil, nil, false
	}
	return rest[1], rest[4:n], rest[n:], true
}

func jpegAppend(out []byte, marker byte, body []byte) []byte {
	out = append(out, 0xff, marker)
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
	return append(out, body...)
}

// jpegTable says whether a segment holds tables and nothing else.
func jpegTable(marker byte, body []byte) bool {
	if marker == jpegDRI {
		return len(body) == 2
	}
	if len(body) == 0 {
		return false
	}
	for len(body) > 0 {
		high, low := body[0]>>4, body[0]&15
		n := 65 // of bytes, one each
		switch {
		case high > 1 || low > 3:
			return false
		case marker == jpegDHT:
			if len(body) < 17 {
				return false
			}
			n = 17
			for _, of := range body[1:17] {
				n += int(of)
			}
			if n > 17+256 {
				return false
			}
		case high == 1:
			n = 129 // of two bytes each
		}
		if n > len(body) {
			return false
		}
		body = body[n:]
	}
	return true
}

// jpegFrame says whether a segment is a frame of one, three or four components.
func jpegFrame(body []byte) bool {
	if len(body) < 6 || body[0] != 8 && body[0] != 12 {
		return false
	}
	n := int(body[5])
	return (n == 1 || n == 3 || n == 4) && len(body) == 6+3*n &&
		seemly(int(binary.BigEndian.Uint16(body[3:])), int(binary.BigEndian.Uint16(body[1:])))
}

// jpegScan says whether a segment is the head of a scan of a frame with so many
// components.
func jpegScan(body []byte, components int) bool {
	return len(body) > 0 && int(body[0]) >= 1 && int(body[0]) <= components && len(body) == 4+2*int(body[0])
}

// jpegCoded is how long the coded data is, up to the next segment or the end of
// the bytes.
func jpegCoded(rest []byte) int {
	for i := 0; i+1 < len(rest); i++ {
		if next := rest[i+1]; rest[i] == 0xff && next != 0 && (next < jpegRST || next > jpegRST+7) {
			return i
		}
	}
	return len(rest)
}
