package handoff

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/mattermosttest"
	"suar/internal/seal"
)

// TestPacket: a packet is posted once, opens with the partner's key alone, and is
// deleted when it is retracted.
func TestPacket(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w, func(c *Config) { c.Pack = seal.Packet })
		root := r.open(1)
		partner, err := age.GenerateHybridIdentity()
		if err != nil {
			t.Fatal(err)
		}
		refer := flows.Refer{N: 1, Recipient: partner.Recipient().String(), Name: "K0001-iom-1.json.age", Text: "Referral 1", Content: `{"case":"kenari-5521"}`}
		first := r.deliver(inThread(2, root, refer)).Post
		again := inThread(2, root, refer)
		again.Tries = 2
		if got := r.deliver(again).Post; got != first {
			t.Error("a second packet was posted")
		}
		post, _, err := w.Officers[0].Client().GetPost(t.Context(), string(first), "")
		if err != nil || len(post.FileIds) != 1 || post.Message != "Referral 1" || post.RootId != string(root) {
			t.Fatalf("%v; the post %+v", err, post)
		}
		info, _, err := w.Officers[0].Client().GetFileInfo(t.Context(), post.FileIds[0])
		if err != nil || info.Name != refer.Name {
			t.Errorf("its name is %q, %v", info.Name, err)
		}
		sealed, _, err := w.Officers[0].Client().GetFile(t.Context(), post.FileIds[0])
		if err != nil {
			t.Fatal(err)
		}
		plain, err := age.Decrypt(bytes.NewReader(sealed), partner)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(plain); err != nil || string(got) != refer.Content {
			t.Errorf("the partner reads %q, %v", got, err)
		}
		if bytes.Contains(w.Dump(), []byte("kenari")) {
			t.Error("Mattermost holds what is in the packet")
		}
		if _, _, err := w.Outsider.Client().GetFile(t.Context(), post.FileIds[0]); err == nil {
			t.Error("an outsider gets the packet")
		}
		for range 2 { // The second is a repetition.
			r.deliver(engine.Delivery{ID: id(3), Effect: flows.Retract{Post: first}})
		}
		if _, resp, err := w.Officers[0].Client().GetPost(t.Context(), string(first), ""); err == nil || resp.StatusCode != http.StatusNotFound {
			t.Errorf("the retracted packet: %v", err)
		}
		r.deliver(engine.Delivery{ID: id(4), Effect: flows.Retract{Post: flows.PostID(model.NewId())}})
		foreign := w.Post(w.Officers[0], string(root), "mine").Id
		_, err = r.Deliver(t.Context(), engine.Delivery{ID: id(5), Conversation: "blind", Effect: flows.Retract{Post: flows.PostID(foreign)}, Tries: 1})
		if f, ok := err.(*engine.Failure); !ok || !f.Final { //nolint:errorlint // That is what Deliver promises.
			t.Errorf("an officer's post is retracted: %v", err)
		}
		refer.Recipient = "age1nokey"
		_, err = r.Deliver(t.Context(), inThread(6, root, refer))
		if f, ok := err.(*engine.Failure); !ok || !f.Final || f.Reason != flows.ReasonRejected { //nolint:errorlint // As above.
			t.Errorf("a packet for no key: %v", err)
		}
		if log := r.log.String(); strings.Contains(log, "kenari") {
			t.Error("the log holds what is in the packet")
		}
	})
}
