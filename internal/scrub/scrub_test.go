package scrub_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"suar/internal/scrub"
	"suar/internal/scrub/scrubtest"
)

type made struct {
	name string
	raw  []byte
	kind scrub.Type
}

func files() []made {
	return []made{
		{"jpeg", scrubtest.JPEG(64, 48), scrub.JPEG},
		{"png", scrubtest.PNG(64, 48), scrub.PNG},
		{"webp", scrubtest.WebP(), scrub.WebP},
		{"lossless webp", scrubtest.WebPLossless(), scrub.WebP},
		{"transparent webp", scrubtest.WebPAlpha(), scrub.WebP},
		{"voice", scrubtest.Voice(120), scrub.Opus},
	}
}

// What a device says beside the picture or the sound is gone, whatever it is
// and wherever it stands, and what is clean stays as it is.
func TestWhatIsSaidBesideGoes(t *testing.T) {
	for _, f := range files() {
		t.Run(f.name, func(t *testing.T) {
			if !bytes.Contains(f.raw, []byte(scrubtest.Canary)) {
				t.Fatal("the file says nothing: the test shows nothing")
			}
			clean, kind, err := scrub.Clean(f.raw)
			if err != nil || kind != f.kind {
				t.Fatalf("Clean: %q, %v; want %q", kind, err, f.kind)
			}
			for _, says := range []string{scrubtest.Canary, "Exif", "XMP", "adobe", "ICC", "JFIF", "tEXt", "tIME", "EXIF", "8BIM", "PK\x03\x04"} {
				if bytes.Contains(clean, []byte(says)) {
					t.Errorf("%q is still there", says)
				}
			}
			again, _, err := scrub.Clean(clean)
			if err != nil || !bytes.Equal(again, clean) {
				t.Errorf("cleaning what is clean changes it (%v)", err)
			}
		})
	}
}

func TestThePictureStays(t *testing.T) {
	for _, f := range []struct {
		name   string
		raw    []byte
		decode func([]byte) (image.Image, error)
	}{
		{"jpeg", scrubtest.JPEG(64, 48), func(b []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(b)) }},
		{"png", scrubtest.PNG(64, 48), func(b []byte) (image.Image, error) { return png.Decode(bytes.NewReader(b)) }},
	} {
		t.Run(f.name, func(t *testing.T) {
			clean, _, err := scrub.Clean(f.raw)
			if err != nil {
				t.Fatal(err)
			}
			want, err := f.decode(f.raw)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.decode(clean)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the picture changed (-before +after):\n%s", diff)
			}
		})
	}
}

// A voice message keeps its packets and their times; its notes are empty, and
// the stream's number says nothing.
func TestTheSoundStays(t *testing.T) {
	clean, _, err := scrub.Clean(scrubtest.Voice(120))
	if err != nil {
		t.Fatal(err)
	}
	plain := scrubtest.Stream(120, []byte("OpusTags\x00\x00\x00\x00\x00\x00\x00\x00"))
	want, _, err := scrub.Clean(plain)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(clean, want) {
		t.Error("it differs from the same sound without notes")
	}
	// But for the number and the sums the clean one is the plain one.
	if len(want) != len(plain) || bytes.Count(want, []byte{0xf8, 0xff, 0xfe}) != 120 {
		t.Errorf("%d bytes and %d packets; want %d and 120", len(want), bytes.Count(want, []byte{0xf8, 0xff, 0xfe}), len(plain))
	}
	if serial := binary.LittleEndian.Uint32(want[14:]); serial != 1 {
		t.Errorf("the stream's number is %d", serial)
	}
}

// The colours of a picture that says how they are kept need that to be shown;
// which program wrote it they do not.
func TestAdobeSaysTheColoursOnly(t *testing.T) {
	raw := scrubtest.JPEG(8, 8)
	adobe := scrubtest.Segment(0xee, []byte("Adobe\x00\x65\xc0\x11\x00\x22\x01"))
	clean, _, err := scrub.Clean(slices.Concat(raw[:2], adobe, raw[2:]))
	if err != nil {
		t.Fatal(err)
	}
	if want := scrubtest.Segment(0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00\x01")); !bytes.HasPrefix(clean[2:], want) {
		t.Errorf("it begins with % x", clean[:20])
	}
}

func TestRefused(t *testing.T) {
	photo, shot, voice := scrubtest.JPEG(64, 48), scrubtest.PNG(64, 48), scrubtest.Voice(120)
	webp := scrubtest.WebP()
	change := func(raw []byte, at int, b ...byte) []byte {
		out := slices.Clone(raw)
		copy(out[at:], b)
		return out
	}
	frame := bytes.LastIndex(photo, []byte{0xff, 0xc0})
	scan := bytes.LastIndex(photo, []byte{0xff, 0xda})
	head := func(width, height uint32) []byte {
		b := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
		return slices.Concat(shot[:8], scrubtest.Chunk("IHDR", append(b, 8, 6, 0, 0, 0)), shot[33:])
	}
	tables := bytes.Repeat(scrubtest.Segment(0xdd, []byte{0, 1}), 1000)
	scans := bytes.Repeat(scrubtest.Segment(0xda, []byte{1, 1, 0, 0, 63, 0}), 100)
	for name, raw := range map[string][]byte{
		"nothing":               nil,
		"one byte":              {0xff},
		"a text":                []byte("hello"),
		"a PDF":                 []byte("%PDF-1.7\n"),
		"a zip":                 []byte("PK\x03\x04"),
		"a GIF":                 []byte("GIF89a"),
		"a HEIC":                []byte("\x00\x00\x00\x18ftypheic"),
		"an SVG":                []byte("<svg onload=alert(1)>"),
		"an RIFF that is sound": []byte("RIFF\x04\x00\x00\x00WAVE"),
		"too long":              slices.Concat(photo, make([]byte, scrub.MaxBytes)),

		"JPEG: only its beginning":        photo[:3],
		"JPEG: cut in the data":           photo[:scan+40],
		"JPEG: without an end":            photo[:bytes.LastIndex(photo, []byte{0xff, 0xd9})],
		"JPEG: no scan":                   {0xff, 0xd8, 0xff, 0xd9},
		"JPEG: a scan before the frame":   slices.Concat(photo[:2], photo[scan:]),
		"JPEG: two frames":                slices.Concat(photo[:frame], photo[frame:frame+19], photo[frame:]),
		"JPEG: a segment beyond the end":  {0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff, 1},
		"JPEG: a segment of length 0":     {0xff, 0xd8, 0xff, 0xe1, 0, 0, 0xff, 0xd9},
		"JPEG: no marker":                 {0xff, 0xd8, 0xff, 0xe1, 0, 2, 'x', 'y', 0xff, 0xd9},
		"JPEG: height 0":                  change(photo, frame+5, 0, 0),
		"JPEG: 65,535 wide":               change(photo, frame+7, 0xff, 0xff),
		"JPEG: lossless":                  change(photo, frame+1, 0xc3),
		"JPEG: words behind a table":      slices.Concat(photo[:2], scrubtest.Segment(0xdd, []byte("\x00\x01words")), photo[2:]),
		"JPEG: words in a Huffman table":  slices.Concat(photo[:2], scrubtest.Segment(0xc4, append(make([]byte, 17), "words"...)), photo[2:]),
		"JPEG: an unknown segment":        slices.Concat(photo[:2], scrubtest.Segment(0xc8, []byte("words")), photo[2:]),
		"JPEG: a thousand tables":         slices.Concat(photo[:2], tables, photo[2:]),
		"JPEG: a hundred scans":           slices.Concat(photo[:scan], scans, photo[scan:]),
		"PNG: only its beginning":         shot[:8],
		"PNG: cut":                        shot[:len(shot)/2],
		"PNG: a sum that is wrong":        change(shot, 29, shot[29]^1),
		"PNG: no head":                    slices.Concat(shot[:8], shot[33:]),
		"PNG: two heads":                  slices.Concat(shot[:33], shot[8:]),
		"PNG: no data":                    slices.Concat(shot[:33], scrubtest.Chunk("IEND", nil)),
		"PNG: a critical unknown chunk":   slices.Concat(shot[:33], scrubtest.Chunk("CgBI", nil), shot[33:]),
		"PNG: words at the end":           slices.Concat(shot[:33], scrubtest.Chunk("IDAT", nil), scrubtest.Chunk("IEND", []byte("words"))),
		"PNG: data in two pieces":         slices.Concat(shot[:33], scrubtest.Chunk("IDAT", nil), scrubtest.Chunk("PLTE", make([]byte, 3)), shot[33:]),
		"PNG: a palette of a megabyte":    slices.Concat(shot[:33], scrubtest.Chunk("PLTE", make([]byte, 3<<20)), shot[33:]),
		"PNG: 2^31 wide":                  head(1<<31, 1),
		"PNG: 16,000 by 16,000, a bomb":   head(16_000, 16_000),
		"PNG: a chunk beyond the end":     slices.Concat(shot[:33], []byte{0x7f, 0xff, 0xff, 0xff}, []byte("IDAT")),
		"WebP: only its beginning":        webp[:12],
		"WebP: cut":                       webp[:40],
		"WebP: a size beyond the end":     change(webp, 4, 0xff, 0xff, 0xff, 0x7f),
		"WebP: size 0":                    change(webp, 4, 0, 0, 0, 0),
		"WebP: a chunk beyond the end":    slices.Concat(webp[:12], []byte("ICCP\xff\xff\xff\xff"), webp[12:]),
		"WebP: it moves":                  slices.Concat(change(webp[:12], 4, 40), scrubtest.RIFF("ANMF", make([]byte, 28))),
		"WebP: no picture":                slices.Concat([]byte("RIFF\x10\x00\x00\x00WEBP"), scrubtest.RIFF("EXIF", []byte("word"))),
		"voice: only its beginning":       voice[:4],
		"voice: cut":                      voice[:len(voice)-len(scrubtest.Canary)-1],
		"voice: cut between the pages":    voice[:47],
		"voice: a sum that is wrong":      change(voice, 22, voice[22]^1),
		"voice: Vorbis":                   scrubtest.Page(2, 1, 0, 0, []byte{7}, []byte("\x01vorbis")),
		"voice: a film beside the sound":  slices.Concat(voice[:47], scrubtest.Page(2, 9, 0, 0, []byte{6}, []byte("theora"))),
		"voice: no sound":                 scrubtest.Stream(0, []byte("OpusTags\x00\x00\x00\x00\x00\x00\x00\x00")),
		"voice: words behind its head":    slices.Concat(scrubtest.Page(2, 1, 0, 0, []byte{24}, []byte("OpusHead\x01\x01\x38\x01\x80\xbb\x00\x00\x00\x00\x00words")), voice[47:]),
		"voice: notes without an end":     slices.Concat(voice[:47], scrubtest.Page(0, 0x5ea10001, 1, 0, []byte{255}, append([]byte("OpusTags"), make([]byte, 247)...))),
		"voice: a page without a part":    slices.Concat(voice[:47], scrubtest.Page(0, 0x5ea10001, 1, 0, nil, nil)),
		"voice: a picture behind a photo": slices.Concat([]byte("OggS"), photo),
	} {
		t.Run(name, func(t *testing.T) {
			if clean, kind, err := scrub.Clean(raw); !errors.Is(err, scrub.ErrRefused) || clean != nil || kind != "" {
				t.Errorf("Clean: %d bytes, %q, %v; want ErrRefused", len(clean), kind, err)
			}
		})
	}
}

// A file that is two kinds at once comes out as one of them: nothing of the
// other is left to be opened.
func TestPolyglots(t *testing.T) {
	page := []byte("<html><script>alert(1)</script>")
	zip := []byte("PK\x05\x06\x00\x00\x00\x00")
	photo := scrubtest.JPEG(8, 8)
	for name, raw := range map[string][]byte{
		"a page in a comment":     slices.Concat(photo[:2], scrubtest.Segment(0xfe, page), photo[2:]),
		"a page in JFIF":          slices.Concat(photo[:2], scrubtest.Segment(0xe0, append([]byte("JFIF\x00"), page...)), photo[2:]),
		"an archive behind":       slices.Concat(photo, zip),
		"a page in a PNG's text":  slices.Concat(scrubtest.PNG(4, 4)[:33], scrubtest.Chunk("tEXt", page), scrubtest.PNG(4, 4)[33:]),
		"an archive behind a PNG": slices.Concat(scrubtest.PNG(4, 4), zip),
		"an archive behind WebP":  slices.Concat(scrubtest.WebP(), zip),
		"a page behind a voice":   slices.Concat(scrubtest.Voice(3), page),
	} {
		t.Run(name, func(t *testing.T) {
			clean, _, err := scrub.Clean(raw)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(clean, page) || bytes.Contains(clean, zip) {
				t.Error("the other kind is still there")
			}
		})
	}
}

// FuzzClean holds the promise: what comes out is clean already, of the kind it
// was, and not longer than it was but for a voice's empty notes.
func FuzzClean(f *testing.F) {
	for _, m := range files() {
		if len(m.raw) < 10_000 {
			f.Add(m.raw)
		}
	}
	f.Add(scrubtest.JPEG(8, 8))
	f.Add(scrubtest.PNG(4, 4))
	f.Add(scrubtest.Stream(3, []byte("OpusTags\x01\x00\x00\x00x\x00\x00\x00\x00")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		mend(raw)
		clean, kind, err := scrub.Clean(raw)
		if err != nil {
			if !errors.Is(err, scrub.ErrRefused) {
				t.Fatal(err)
			}
			return
		}
		if kind != scrub.Sniff(raw) || kind != scrub.Sniff(clean) {
			t.Fatalf("%q became %q", scrub.Sniff(raw), scrub.Sniff(clean))
		}
		if len(clean) > len(raw)+16 {
			t.Fatalf("%d bytes became %d", len(raw), len(clean))
		}
		again, _, err := scrub.Clean(clean)
		if err != nil || !bytes.Equal(again, clean) {
			t.Fatalf("cleaning what is clean changes it (%v)", err)
		}
	})
}

// mend makes the sums of a PNG's chunks and of a voice's pages right, so that
// what was changed at random gets beyond them.
func mend(raw []byte) {
	switch scrub.Sniff(raw) {
	case scrub.PNG:
		for rest := raw[8:]; len(rest) >= 12; {
			n := int(binary.BigEndian.Uint32(rest))
			if n > len(rest)-12 {
				return
			}
			copy(rest[8+n:], scrubtest.Chunk(string(rest[4:8]), rest[8:8+n])[8+n:])
			rest = rest[12+n:]
		}
	case scrub.Opus:
		for rest := raw; len(rest) >= 27; {
			n := 27 + int(rest[26])
			if n > len(rest) {
				return
			}
			for _, part := range rest[27:n] {
				n += int(part)
			}
			if n > len(rest) {
				return
			}
			scrubtest.Sum(rest[:n])
			rest = rest[n:]
		}
	}
}
