// Package scrub takes out of a photo or a voice message what it says beside its
// picture or its sound: where and when it was made, with what device, by whom,
// small pictures of what was cut away, and whatever was hung onto its end.
//
// It knows four containers and rebuilds each from the parts that are needed to
// show or play it; everything else is left behind, known or not. It decodes no
// pixel and no sound. What is seen in a picture and heard in a voice stays: a
// face, a sign, a mark that a camera or a site put into the picture itself.
//
// Reading what a stranger made is the most dangerous thing that a hotline does,
// so [Clean] runs in a process that holds no key and no connection: [Child] is
// its parent's side, [Main] is all that it does.
package scrub

import "errors"

// ErrRefused says that the bytes are no photo and no voice message of a kind
// that can be cleaned, or are not whole: they must not be passed on, and trying
// again is of no use.
var ErrRefused = errors.New("scrub: nothing that can be cleaned")

const (
	// MaxBytes is the greatest length of what is cleaned. With its end mark it is
	// still sealed to less than 4 MiB.
	MaxBytes = 4_000_000
	// maxPixels is what Mattermost takes by default, and maxSide more than any
	// camera's: what claims to be larger would only cost whoever shows it.
	maxPixels, maxSide = 7680 * 4320, 1 << 14
)

// A Type is what a file is, by its bytes and nothing else.
type Type string

// The types, by their media types.
const (
	JPEG Type = "image/jpeg"
	PNG  Type = "image/png"
	WebP Type = "image/webp"
	Opus Type = "audio/ogg"
)

// Sniff says what the bytes begin as, "" for nothing that Clean takes.
func Sniff(raw []byte) Type {
	begins := func(at int, magic string) bool {
		return len(raw) >= at+len(magic) && string(raw[at:at+len(magic)]) == magic
	}
	switch {
	case begins(0, "\xff\xd8\xff"):
		return JPEG
	case begins(0, pngSignature):
		return PNG
	case begins(0, "RIFF") && begins(8, "WEBP"):
		return WebP
	case begins(0, "OggS"):
		return Opus
	}
	return ""
}

// Clean returns the file rebuilt from what is needed to show or play it, and
// what it is. The only error is ErrRefused. Cleaning what is clean changes
// nothing.
func Clean(raw []byte) ([]byte, Type, error) {
	if len(raw) > MaxBytes {
		return nil, "", ErrRefused
	}
	var clean []byte
	var ok bool
	kind := Sniff(raw)
	switch kind {
	case JPEG:
		clean, ok = cleanJPEG(raw)
	case PNG:
		clean, ok = cleanPNG(raw)
	case WebP:
		clean, ok = cleanWebP(raw)
	case Opus:
		clean, ok = cleanOpus(raw)
	}
	if !ok || len(clean) > MaxBytes {
		return nil, "", ErrRefused
	}
	return clean, kind, nil
}

// seemly says whether somebody can be made to show a picture of that size.
func seemly(width, height int) bool {
	return width > 0 && height > 0 && width <= maxSide && height <= maxSide && width*height <= maxPixels
}
