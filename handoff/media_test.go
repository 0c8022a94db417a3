package handoff

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/mattermosttest"
	"suar/internal/scrub/scrubtest"
)

// shelf is what is kept.
type shelf map[flows.MediaID][]byte

func (s shelf) get(_ context.Context, conversation string, id flows.MediaID) ([]byte, error) {
	content, ok := s[id]
	if !ok || conversation != "blind" {
		return nil, engine.ErrNoMedia
	}
	return content, nil
}

// newShower is a rig with a photo that is kept as m, and a case's card.
func newShower(t *testing.T, w *mattermosttest.World) (*rig, shelf, flows.PostID) {
	t.Helper()
	kept := shelf{"m": scrubtest.JPEG(640, 480)}
	r := newRig(t, w, func(c *Config) { c.Media = kept.get })
	return r, kept, r.open(1)
}

// inThread is a delivery of an effect in the case's thread.
func inThread(n int, root flows.PostID, e flows.Effect) engine.Delivery {
	return engine.Delivery{ID: id(n), Conversation: "blind", Thread: root, Effect: e, Tries: 1}
}

func offerOf(media flows.MediaID) flows.Offer {
	return flows.Offer{Media: media, Text: "Photo 1, 312 kB. May be disturbing.", Label: "Show"}
}

func presentOf(media flows.MediaID) flows.Present {
	return flows.Present{Media: media, Type: "image/jpeg", Name: "photo-1", Text: "Photo 1. Shown for @siti."}
}

// TestPhotoIsShownOnce: the line in the thread has a button and no picture; a
// press is an event of the case; what is presented is the kept bytes, once,
// however often it is delivered.
func TestPhotoIsShownOnce(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r, kept, root := newShower(t, w)
		siti := w.Officers[0]
		line := r.deliver(inThread(2, root, offerOf("m"))).Post
		again := inThread(2, root, offerOf("m"))
		again.Tries = 2
		if got := r.deliver(again).Post; got != line {
			t.Errorf("a second line was made")
		}
		post, _, err := w.Bot.Client().GetPost(t.Context(), string(line), "")
		if err != nil {
			t.Fatal(err)
		}
		if post.RootId != string(root) || len(post.FileIds) != 0 || post.Message != "Photo 1, 312 kB. May be disturbing." {
			t.Errorf("the line is %q under %q with %d files", post.Message, post.RootId, len(post.FileIds))
		}
		if status := w.Press(siti, string(line), "Show"); status != http.StatusOK {
			t.Fatalf("press: status %d", status)
		}
		want := []flows.Event{flows.Acted{Officer: officer(siti), Action: flows.ActionShow, Choice: "m"}}
		if diff := cmp.Diff(want, r.ledger.of(root)); diff != "" {
			t.Fatalf("events of the card (-want +got):\n%s", diff)
		}
		shown := r.deliver(inThread(3, root, presentOf("m"))).Post
		again = inThread(3, root, presentOf("m"))
		again.Tries = 2
		if got := r.deliver(again).Post; got != shown {
			t.Error("it was shown twice")
		}
		post, _, err = siti.Client().GetPost(t.Context(), string(shown), "")
		if err != nil || len(post.FileIds) != 1 {
			t.Fatalf("%v; %d files", err, len(post.FileIds))
		}
		content, _, err := siti.Client().GetFile(t.Context(), post.FileIds[0])
		if err != nil || !bytes.Equal(content, kept["m"]) {
			t.Errorf("the officer gets %d bytes, %v; want %d", len(content), err, len(kept["m"]))
		}
		info, _, err := siti.Client().GetFileInfo(t.Context(), post.FileIds[0])
		if err != nil || info.Name != "photo-1.jpg" {
			t.Errorf("its name is %q, %v", info.Name, err)
		}
		if _, _, err := w.Outsider.Client().GetFile(t.Context(), post.FileIds[0]); err == nil {
			t.Error("an outsider gets it")
		}
		r.deliver(inThread(4, root, flows.Restate{Post: line, Text: "Photo 1. Shown for @siti."}))
		post, _, err = w.Bot.Client().GetPost(t.Context(), string(line), "")
		if err != nil || post.Message == "" || strings.Contains(post.Message, "disturbing") || len(post.Attachments()) != 0 {
			t.Errorf("%v; the line is %q with %d attachments", err, post.Message, len(post.Attachments()))
		}
		if status := w.PressID(siti, string(line), "show"); status != http.StatusNotFound {
			t.Errorf("the button is still there: status %d", status)
		}
	})
}

// TestNothingToShow: what is not kept any more ends with that, and a desk that
// may not upload says so instead of holding up what the person writes.
func TestNothingToShow(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r, _, root := newShower(t, w)
		for name, tt := range map[string]struct {
			d    engine.Delivery
			want flows.Reason
		}{
			"never kept":            {inThread(2, root, presentOf("n")), flows.ReasonLost},
			"of another":            {engine.Delivery{ID: id(3), Conversation: "other", Thread: root, Effect: presentOf("m"), Tries: 1}, flows.ReasonLost},
			"the card is gone":      {inThread(4, "", presentOf("m")), flows.ReasonGone},
			"a line without a card": {inThread(5, "", offerOf("m")), flows.ReasonGone},
			"a line that is gone":   {inThread(6, root, flows.Restate{Post: flows.PostID(model.NewId()), Text: "x"}), flows.ReasonGone},
			"a line of an officer":  {inThread(7, root, flows.Restate{Post: flows.PostID(w.Post(w.Officers[0], string(root), "mine").Id), Text: "x"}), flows.ReasonRejected},
		} {
			_, err := r.Deliver(t.Context(), tt.d)
			f, _ := err.(*engine.Failure) //nolint:errorlint // That is what Deliver promises.
			if f == nil || f.Reason != tt.want || !f.Final {
				t.Errorf("%s: %v; want a final %q", name, err, tt.want)
			}
		}
		if got := len(w.Thread(string(root))); got != 2 {
			t.Errorf("%d posts in the thread, want the card and the officer's", got)
		}
	})
}

// TestWhoMayShow: a line's button is as closed as a card's, and it is of its own
// card, wherever it is pressed.
func TestWhoMayShow(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r, _, root := newShower(t, w)
		line := string(r.deliver(inThread(2, root, offerOf("m"))).Post)
		siti := w.Officers[0]
		w.Press(w.Outsider, line, "Show")
		w.Press(w.Admin, line, "Show")
		w.RemoveMember(siti)
		w.Press(siti, line, "Show")
		if got := r.ledger.of(root); len(got) != 0 {
			t.Errorf("events of those who may not: %v", got)
		}
	})
}

func TestForgedShow(t *testing.T) {
	w := mattermosttest.StandIn(t)
	r, _, root := newShower(t, w)
	desk := r.handler
	var tap tap
	line := r.deliver(inThread(2, root, offerOf("m"))).Post
	other := r.deliver(engine.Delivery{ID: id(9), Conversation: "another", Effect: flows.Open{}, Card: card("K0002")}).Post
	r.ledger.knowAs(other, "another")
	r.handler = tap.wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	w.Press(w.Officers[0], string(line), "Show")
	r.handler = desk
	var press model.PostActionIntegrationRequest
	if err := json.Unmarshal(tap.last(), &press); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*model.PostActionIntegrationRequest){
		"another card":         func(p *model.PostActionIntegrationRequest) { p.Context["card"] = string(other) },
		"no card":              func(p *model.PostActionIntegrationRequest) { delete(p.Context, "card") },
		"another medium":       func(p *model.PostActionIntegrationRequest) { p.Context["choice"] = "n" },
		"another action":       func(p *model.PostActionIntegrationRequest) { p.Context["action"] = "close" },
		"another conversation": func(p *model.PostActionIntegrationRequest) { p.Context["conversation"] = "another" },
	} {
		var forged model.PostActionIntegrationRequest
		if err := json.Unmarshal(encode(t, press), &forged); err != nil {
			t.Fatal(err)
		}
		change(&forged)
		if _, text := r.send(http.MethodPost, actionPath, encode(t, forged)); !strings.Contains(text, "This cannot be done") {
			t.Errorf("%s: answer %q, want the one refusal", name, text)
		}
	}
	// Under whatever post it is sent, it is of its own card.
	press.PostId = string(other)
	r.send(http.MethodPost, actionPath, encode(t, press))
	if got := r.ledger.of(other); len(got) != 0 {
		t.Errorf("events of another card: %v", got)
	}
	want := []flows.Event{flows.Acted{Officer: officer(w.Officers[0]), Action: flows.ActionShow, Choice: "m"}}
	if diff := cmp.Diff(want, r.ledger.of(root)); diff != "" {
		t.Errorf("events of its own card (-want +got):\n%s", diff)
	}
}

// TestPhotoGoesWithItsPost: when who purges a thread deletes the photo's post for
// good, its bytes and the small pictures that Mattermost made of it are gone
// from the server's disk; a deletion as a client makes it leaves all of them.
func TestPhotoGoesWithItsPost(t *testing.T) {
	folder := t.TempDir()
	w := mattermosttest.Real(t, mattermosttest.Setting{Name: "FileSettings.Directory", Value: folder})
	r, _, root := newShower(t, w)
	files := func() (n int) {
		err := filepath.WalkDir(folder, func(_ string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				n++
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	shown := string(r.deliver(inThread(2, root, presentOf("m"))).Post)
	const all = 3 // itself, a preview and a thumb's size
	if n := files(); n != all {
		t.Errorf("%d files, want %d", n, all)
	}
	w.Delete(w.Bot, shown)
	if n := files(); n != all {
		t.Errorf("%d files after a client's deletion, want %d: the documentation says so", n, all)
	}
	if _, err := w.Admin.Client().PermanentDeletePost(t.Context(), shown); err != nil {
		t.Fatal(err)
	}
	if n := files(); n != 0 {
		t.Errorf("%d files after the deletion for good", n)
	}
}
