package rehearsal

import (
	"fmt"
	"strings"

	"suar/flows"
)

// attached is what a person sends: a kind, or one with what is the matter with
// it before it, as "large photo".
func (r *Rehearsal) attached(what, caption string) flows.Attached {
	matter, kind, ok := strings.Cut(what, " ")
	if !ok {
		matter, kind = "sound", what
	}
	ev := flows.Attached{Message: r.wrote("(" + kind + ") " + caption), Media: flows.Media(kind), Caption: caption, Size: 311_500}
	switch ev.Media {
	case flows.MediaPhoto, flows.MediaVoice, flows.MediaFile:
		ev.File = flows.FileID(matter)
	}
	if matter == "large" {
		ev.Size = flows.MaxMedia + 1
	}
	return ev
}

// deliverMedia performs an effect about a photo or a voice message.
func (r *Rehearsal) deliverMedia(e flows.Effect) flows.Event {
	d := flows.Delivered{Effect: e}
	switch e := e.(type) {
	case flows.Fetch:
		switch e.File {
		case "damaged":
			return flows.Undelivered{Effect: e, Reason: flows.ReasonUnsuited}
		case "lost":
			return flows.Undelivered{Effect: e, Reason: flows.ReasonGivenUp}
		}
		r.printf("  bot fetches, cleans and seals a %s", e.Kind)
		d.Held = flows.Held{Type: "image/jpeg", Bytes: 311_072, Sum: strings.Repeat("0a1b2c3d", 8)}
		if e.Kind == flows.MediaVoice {
			d.Held.Type = "audio/ogg"
		}
	case flows.Offer:
		r.posts++
		d.Post = flows.PostID(fmt.Sprintf("line%d", r.posts))
		r.offers = append(r.offers, e.Media)
		r.printf("  thread      %s: (%s) [%s]", d.Post, e.Text, e.Label)
	case flows.Present:
		r.printf("  thread      (%s) file %s of %s", e.Text, e.Name, e.Type)
	case flows.Restate:
		r.printf("  %s becomes (%s)", e.Post, e.Text)
	case flows.Drop:
		r.printf("  bot erases what was sealed")
	}
	return d
}
