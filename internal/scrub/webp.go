package scrub

import "encoding/binary"

// webpAlpha is the flag of a picture that is transparent; the others tell of
// profiles, Exif, XMP and frames, of which none is kept.
const webpAlpha = 0x10

// cleanWebP keeps the picture and, beside one that is lossy, what of it is
// transparent. A picture that moves is refused.
func cleanWebP(raw []byte) ([]byte, bool) {
	size := int(binary.LittleEndian.Uint32(raw[4:]))
	if len(raw) < 12 || size < 4 || size > len(raw)-8 {
		return nil, false
	}
	rest := raw[12 : 8+size] // What comes behind is not the picture's.
	var picture, alpha []byte
	var name string
	for len(rest) > 0 && picture == nil {
		if len(rest) < 8 {
			return nil, false
		}
		n := int(binary.LittleEndian.Uint32(rest[4:]))
		if n > len(rest)-8 {
			return nil, false
		}
		body := rest[8 : 8+n]
		switch name = string(rest[:4]); name {
		case "VP8 ", "VP8L":
			picture = body
		case "ALPH":
			if alpha != nil || n == 0 {
				return nil, false
			}
			alpha = body
		case "ANIM", "ANMF":
			return nil, false
		}
		rest = rest[min(8+n+n%2, len(rest)):]
	}
	width, height, ok := webpSize(name, picture)
	if !ok || !seemly(width, height) || alpha != nil && name != "VP8 " {
		return nil, false
	}
	var chunks []byte
	if alpha != nil {
		head := make([]byte, 10)
		head[0] = webpAlpha
		put24(head[4:], width-1)
		put24(head[7:], height-1)
		chunks = webpAppend(webpAppend(chunks, "VP8X", head), "ALPH", alpha)
	}
	chunks = webpAppend(chunks, name, picture)
	out := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+len(chunks)))
	return append(append(out, "WEBP"...), chunks...), true
}

// webpSize reads a picture's size from the beginning of its data.
func webpSize(name string, picture []byte) (width, height int, ok bool) {
	switch {
	case name == "VP8 " && len(picture) >= 10 && picture[0]&1 == 0 && string(picture[3:6]) == "\x9d\x01\x2a":
		return int(binary.LittleEndian.Uint16(picture[6:]) & 0x3fff), int(binary.LittleEndian.Uint16(picture[8:]) & 0x3fff), true
	case name == "VP8L" && len(picture) >= 5 && picture[0] == 0x2f && picture[4]>>5 == 0:
		bits := binary.LittleEndian.Uint32(picture[1:])
		return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1, true
	}
	return 0, 0, false
}

func webpAppend(out []byte, name string, body []byte) []byte {
	out = append(out, name...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(body)))
	out = append(out, body...)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

func put24(b []byte, n int) { b[0], b[1], b[2] = byte(n), byte(n>>8), byte(n>>16) }
