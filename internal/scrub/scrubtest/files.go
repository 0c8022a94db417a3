// Package scrubtest makes photos and voice messages as devices make them, with
// what they say beside the picture or the sound, for tests.
package scrubtest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"slices"
)

// Canary is in every place of a file where a device could say something.
const Canary = "Canary-Device-5.1"

// Picture is what the photos show.
func Picture(width, height int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.Set(x, y, color.NRGBA{R: uint8(7 * x), G: uint8(5 * y), B: uint8(x ^ y), A: 255})
		}
	}
	return m
}

// JPEG is a photo of a telephone's: Exif with a place, XMP, a profile, a comment,
// an embedded small picture, and a film behind its end.
func JPEG(width, height int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, Picture(width, height), nil); err != nil {
		panic(err)
	}
	raw := b.Bytes()
	var small bytes.Buffer
	if err := jpeg.Encode(&small, Picture(8, 8), nil); err != nil {
		panic(err)
	}
	says := slices.Concat(
		Segment(0xe0, []byte("JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00")),
		Segment(0xe1, append([]byte("Exif\x00\x00MM\x00\x2aGPS "+Canary), small.Bytes()...)),
		Segment(0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta>"+Canary)),
		Segment(0xe2, []byte("ICC_PROFILE\x00\x01\x01"+Canary)),
		Segment(0xed, []byte("Photoshop 3.0\x008BIM"+Canary)),
		Segment(0xfe, []byte(Canary)),
	)
	// Some programs write them between the tables and the scan as well.
	scan := bytes.Index(raw, []byte{0xff, 0xda})
	return slices.Concat(raw[:2], says, raw[2:scan], Segment(0xfe, []byte(Canary)), raw[scan:], []byte("ftypmp42"+Canary))
}

// Segment is a segment of a JPEG.
func Segment(marker byte, body []byte) []byte {
	out := []byte{0xff, marker}
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
	return append(out, body...)
}

// PNG is a picture of a screen with its texts, its time and what was cut away
// behind its end.
func PNG(width, height int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, Picture(width, height)); err != nil {
		panic(err)
	}
	raw := b.Bytes()
	const head = 8 + 25
	return slices.Concat(raw[:head],
		Chunk("eXIf", []byte("MM\x00\x2a"+Canary)), Chunk("tEXt", []byte("Author\x00"+Canary)),
		Chunk("iTXt", []byte("XML:com.adobe.xmp\x00"+Canary)), Chunk("iCCP", []byte(Canary)),
		Chunk("tIME", []byte("\x07\xea\x03\x02\x03\x04\x05")), Chunk("prVt", []byte(Canary)),
		raw[head:], []byte(Canary))
}

// Chunk is a chunk of a PNG.
func Chunk(name string, body []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	out = append(append(out, name...), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// WebP is a lossy picture of one pixel with a profile, Exif and XMP, and bytes
// behind its end.
func WebP() []byte {
	return webp(0x2c, "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
}

// WebPLossless is the same in the other format.
func WebPLossless() []byte {
	return webp(0x2c, "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
}

// WebPAlpha is a lossy picture with what of it is transparent.
func WebPAlpha() []byte {
	return webp(0x3c, "UklGRkoAAABXRUJQVlA4WAoAAAAQAAAAAAAAAAAAQUxQSAwAAAARBxAR/Q9ERP8DAABWUDggGAAAABQBAJ0BKgEAAQAAAP4AAA3AAP7mtQAAAA==")
}

func webp(flags byte, picture string) []byte {
	raw, err := base64.StdEncoding.DecodeString(picture)
	if err != nil {
		panic(err)
	}
	chunks := raw[12:]
	if string(chunks[:4]) == "VP8X" {
		chunks = chunks[18:]
	}
	chunks = slices.Concat(
		RIFF("VP8X", []byte{flags, 0, 0, 0, 0, 0, 0, 0, 0, 0}), RIFF("ICCP", []byte(Canary)),
		chunks, RIFF("EXIF", []byte("MM\x00\x2a"+Canary)), RIFF("XMP ", []byte(Canary)))
	out := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+len(chunks)))
	return slices.Concat(out, []byte("WEBP"), chunks, []byte("PK\x03\x04"+Canary))
}

// RIFF is a chunk of a WebP.
func RIFF(name string, body []byte) []byte {
	out := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(body)))
	out = append(out, body...)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}

// Voice is a voice message of so many packets of 20 ms of silence, with the
// notes of a program and a picture that go over three pages.
func Voice(packets int) []byte {
	notes := append([]byte("OpusTags"), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(notes[8:], uint32(len(Canary)))
	notes = append(notes, Canary...)
	notes = binary.LittleEndian.AppendUint32(notes, 1)
	comment := "METADATA_BLOCK_PICTURE=" + Canary
	for len(comment) < 140_000 {
		comment += comment
	}
	notes = binary.LittleEndian.AppendUint32(notes, uint32(len(comment)))
	notes = append(notes, comment...)
	return slices.Concat(Stream(packets, notes), []byte(Canary))
}

// Stream is a voice message with the given notes.
func Stream(packets int, notes []byte) []byte {
	const serial = 0x5ea10001
	head := []byte("OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00")
	out := Page(2, serial, 0, 0, lacing(len(head)), head)
	number := uint32(1)
	parts, rest := lacing(len(notes)), notes
	for flags := byte(0); len(parts) > 0; flags = 1 {
		n := min(len(parts), 255)
		size := 0
		for _, part := range parts[:n] {
			size += int(part)
		}
		out = append(out, Page(flags, serial, number, 0, parts[:n], rest[:size])...)
		parts, rest, number = parts[n:], rest[size:], number+1
	}
	for sent := 0; sent < packets; number++ {
		n := min(packets-sent, 50)
		sent += n
		var flags byte
		if sent == packets {
			flags = 4
		}
		out = append(out, Page(flags, serial, number, uint64(sent)*960, bytes.Repeat([]byte{3}, n), bytes.Repeat([]byte{0xf8, 0xff, 0xfe}, n))...)
	}
	return out
}

// lacing is how a packet's length is written.
func lacing(n int) []byte {
	return append(bytes.Repeat([]byte{255}, n/255), byte(n%255))
}

// Page is a page of an Ogg stream.
func Page(flags byte, serial, number uint32, granule uint64, parts, body []byte) []byte {
	out := append([]byte("OggS\x00"), flags)
	out = binary.LittleEndian.AppendUint64(out, granule)
	out = binary.LittleEndian.AppendUint32(out, serial)
	out = binary.LittleEndian.AppendUint32(out, number)
	out = append(out, 0, 0, 0, 0, byte(len(parts)))
	out = append(append(out, parts...), body...)
	Sum(out)
	return out
}

// Sum makes the sum of a page right.
func Sum(page []byte) {
	clear(page[22:26])
	binary.LittleEndian.PutUint32(page[22:], pageSum(page))
}

// pageSum is written as RFC 3533 has it, by a table, and not as in what it
// tests.
func pageSum(page []byte) uint32 {
	var table [256]uint32
	for i := range table {
		r := uint32(i) << 24
		for range 8 {
			if r&0x80000000 != 0 {
				r = r<<1 ^ 0x04c11db7
			} else {
				r <<= 1
			}
		}
		table[i] = r
	}
	var sum uint32
	for _, b := range page {
		sum = sum<<8 ^ table[byte(sum>>24)^b]
	}
	return sum
}
