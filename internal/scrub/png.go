package scrub

import (
	"encoding/binary"
	"hash/crc32"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// cleanPNG keeps the head, the palette, what is transparent, the data and the
// end. Times, texts, profiles, further frames and Exif are not among them.
func cleanPNG(raw []byte) ([]byte, bool) {
	out := []byte(pngSignature)
	rest := raw[len(pngSignature):]
	var last string
	var palette, data bool
	for first := true; ; first = false {
		name, body, after, ok := pngChunk(rest)
		if !ok || first != (name == "IHDR") {
			return nil, false
		}
		switch name {
		case "IHDR":
			if len(body) != 13 || !seemly(int(binary.BigEndian.Uint32(body)), int(binary.BigEndian.Uint32(body[4:]))) {
				return nil, false
			}
		case "PLTE":
			if palette || data || len(body) == 0 || len(body) > 768 || len(body)%3 != 0 {
				return nil, false
			}
			palette = true
		case "tRNS":
			if data || last == name || len(body) > 256 {
				return nil, false
			}
		case "IDAT":
			if data && last != name {
				return nil, false // The data is in one piece.
			}
			data = true
		case "IEND":
			return pngAppend(out, name, nil), data && len(body) == 0
		default:
			if name[0] < 'a' {
				return nil, false // A decoder must know it, and this one is not known.
			}
			rest = after
			continue
		}
		out = pngAppend(out, name, body)
		last, rest = name, after
	}
}

// pngChunk cuts the next chunk off and checks its sum.
func pngChunk(rest []byte) (name string, body, after []byte, ok bool) {
	if len(rest) < 12 {
		return "", nil, nil, false
	}
	n := int(binary.BigEndian.Uint32(rest))
	if n > len(rest)-12 {
		return "", nil, nil, false
	}
	sum := binary.BigEndian.Uint32(rest[8+n:])
	return string(rest[4:8]), rest[8 : 8+n], rest[12+n:], crc32.ChecksumIEEE(rest[4:8+n]) == sum
}

func pngAppend(out []byte, name string, body []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	begin := len(out)
	out = append(append(out, name...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[begin:]))
}
