package handoff

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/mattermosttest"
)

// TestMenu: an entry of the card's menu becomes its event, after its question if
// it has one.
func TestMenu(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		siti, budi := w.Officers[0], w.Officers[1]
		if status := w.Choose(siti, string(root), "More…", "look"); status != http.StatusOK {
			t.Fatalf("look: status %d", status)
		}
		screen := w.Watch(budi)
		w.Choose(budi, string(root), "More…", "mark:on")
		d := screen.Dialog()
		if d.Dialog.IntroductionText != "Mark it?" || d.Dialog.Title != "Mark it" {
			t.Errorf("dialog %+v", d.Dialog)
		}
		want := []flows.Event{flows.Acted{Officer: officer(siti), Action: "look"}}
		if diff := cmp.Diff(want, r.ledger.of(root)); diff != "" {
			t.Errorf("before the answer (-want +got):\n%s", diff)
		}
		for range 2 { // the second is a repetition
			if answer, status := w.SubmitDialog(budi, d, map[string]any{}); status != http.StatusOK || answer.Error != "" {
				t.Fatalf("answer %+v, status %d", answer, status)
			}
		}
		want = append(want, flows.Acted{Officer: officer(budi), Action: "mark", Choice: "on"})
		if diff := cmp.Diff(want, r.ledger.of(root)); diff != "" {
			t.Errorf("after the answer (-want +got):\n%s", diff)
		}
	})
}

// TestMenuOfAChangedCard: what was chosen from a card as it was is not another
// entry of the card as it is.
func TestMenuOfAChangedCard(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		changed := deliveryOf(2)
		changed.Effect, changed.Thread = flows.Update{}, root
		changed.Card.Menu = []flows.Action{{Name: "other", Label: "Other"}, {Name: "look", Choice: "twice", Label: "Look"}}
		r.deliver(changed)
		screen := w.Watch(w.Officers[0])
		w.Choose(w.Officers[0], string(root), "more", "look")
		if got := screen.Ephemeral(); got != r.Words.Refused {
			t.Errorf("the officer reads %q", got)
		}
		changed.ID, changed.Card.Menu = id(3), nil
		r.deliver(changed)
		if status := w.PressID(w.Officers[0], string(root), "more"); status != http.StatusNotFound {
			t.Errorf("a card without a menu has one: status %d", status)
		}
		if got := r.ledger.of(root); len(got) != 0 {
			t.Errorf("events %v", got)
		}
	})
}

// TestWhoMayChoose: a menu is as closed as a button.
func TestWhoMayChoose(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		siti := w.Officers[0]
		w.Choose(w.Outsider, string(root), "more", "look")
		w.Choose(w.Admin, string(root), "more", "look")
		w.RemoveMember(siti)
		w.Choose(siti, string(root), "more", "look")
		if got := r.ledger.of(root); len(got) != 0 {
			t.Errorf("events of those who may not: %v", got)
		}
	})
}

// TestForgedMenus sends what somebody could who reaches the endpoint, made from
// a genuine choice.
func TestForgedMenus(t *testing.T) {
	w := mattermosttest.StandIn(t)
	r := newRig(t, w)
	var tap tap
	r.wrap(tap.wrap)
	root := r.open(1)
	siti := w.Officers[0]
	w.Choose(siti, string(root), "more", "look")
	var choice model.PostActionIntegrationRequest
	if err := json.Unmarshal(tap.last(), &choice); err != nil {
		t.Fatal(err)
	}
	// A genuine press of a button, for what a menu may not be mixed with.
	w.Press(siti, string(root), "Claim")
	var press model.PostActionIntegrationRequest
	if err := json.Unmarshal(tap.last(), &press); err != nil {
		t.Fatal(err)
	}
	before := len(r.ledger.of(root))

	entry := func(p *model.PostActionIntegrationRequest, i int) map[string]any {
		list, _ := p.Context["entries"].([]any)
		e, _ := list[i].(map[string]any)
		return e
	}
	for name, change := range map[string]func(*model.PostActionIntegrationRequest){
		"an option of nobody":      func(p *model.PostActionIntegrationRequest) { p.Context["selected_option"] = "mallory" },
		"an option without choice": func(p *model.PostActionIntegrationRequest) { p.Context["selected_option"] = "mark" },
		"an empty option":          func(p *model.PostActionIntegrationRequest) { p.Context["selected_option"] = "" },
		"an option as a number":    func(p *model.PostActionIntegrationRequest) { p.Context["selected_option"] = 7 },
		"no option":                func(p *model.PostActionIntegrationRequest) { delete(p.Context, "selected_option") },
		"another conversation":     func(p *model.PostActionIntegrationRequest) { p.Context["conversation"] = "other" },
		"another action":           func(p *model.PostActionIntegrationRequest) { entry(p, 1)["action"] = "close" },
		"without the question":     func(p *model.PostActionIntegrationRequest) { entry(p, 0)["confirm"] = "" },
		"another choice":           func(p *model.PostActionIntegrationRequest) { entry(p, 1)["choice"] = "x" },
		"one entry fewer":          func(p *model.PostActionIntegrationRequest) { p.Context["entries"] = p.Context["entries"].([]any)[1:] },
		"entries that are none":    func(p *model.PostActionIntegrationRequest) { p.Context["entries"] = "look" },
		"no signature":             func(p *model.PostActionIntegrationRequest) { p.Context["mac"] = "" },
		"a button's signature":     func(p *model.PostActionIntegrationRequest) { p.Context["mac"] = press.Context["mac"] },
		"a button as a menu": func(p *model.PostActionIntegrationRequest) {
			p.Context = with(press.Context, "selected_option", "claim")
		},
		"the menu as a button": func(p *model.PostActionIntegrationRequest) {
			p.Context = with(p.Context, "action", "look")
			delete(p.Context, "selected_option")
		},
		"no trigger":                func(p *model.PostActionIntegrationRequest) { p.TriggerId = "" },
		"another user":              func(p *model.PostActionIntegrationRequest) { p.UserId = w.Officers[1].ID },
		"another channel":           func(p *model.PostActionIntegrationRequest) { p.ChannelId = model.NewId() },
		"the choice again":          func(*model.PostActionIntegrationRequest) {},
		"another choice, same sign": func(p *model.PostActionIntegrationRequest) { p.Context["selected_option"] = "mark:on" },
	} {
		t.Run(name, func(t *testing.T) {
			var forged model.PostActionIntegrationRequest
			if err := json.Unmarshal(encode(t, choice), &forged); err != nil {
				t.Fatal(err)
			}
			change(&forged)
			if _, text := r.send(http.MethodPost, actionPath, encode(t, forged)); !strings.Contains(text, "This cannot be done") {
				t.Errorf("answer %q, want the one refusal", text)
			}
		})
	}
	if n := len(r.ledger.of(root)); n != before {
		t.Errorf("%d events of forgeries", n-before)
	}
}

// TestMenuIsOfItsCard replays a genuine choice, held back on its way, with the
// post of another case.
func TestMenuIsOfItsCard(t *testing.T) {
	w := mattermosttest.StandIn(t)
	r := newRig(t, w)
	desk := r.handler
	var tap tap
	root := r.open(1)
	other := r.deliver(engine.Delivery{ID: id(2), Conversation: "another", Effect: flows.Open{}, Card: card("K0002")}).Post
	r.ledger.knowAs(other, "another")
	r.handler = tap.wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	w.Choose(w.Officers[0], string(root), "more", "look")
	r.handler = desk
	var choice model.PostActionIntegrationRequest
	if err := json.Unmarshal(tap.last(), &choice); err != nil {
		t.Fatal(err)
	}
	choice.PostId = string(other)
	if _, text := r.send(http.MethodPost, actionPath, encode(t, choice)); !strings.Contains(text, r.Words.Unknown) {
		t.Errorf("the choice under another card is answered %s", text)
	}
	if got := append(r.ledger.of(root), r.ledger.of(other)...); len(got) != 0 {
		t.Errorf("events %v", got)
	}
}

// with is a context with one field changed.
func with(context map[string]any, key string, value any) map[string]any {
	c := maps.Clone(context)
	c[key] = value
	return c
}
