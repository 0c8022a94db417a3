package mattermosttest

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"
)

func buttonFacts() []fact {
	return []fact{
		{"a press reaches the endpoint with who, where and our context", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			card := w.card(e, "claim", "close")
			want(t, "status", w.Press(w.Officers[0], card.Id, "close"), http.StatusOK)
			var got model.PostActionIntegrationRequest
			e.hit(&got)
			trigger := got.TriggerId
			got.TriggerId = ""
			want(t, "request", got, model.PostActionIntegrationRequest{
				UserId: w.Officers[0].ID, UserName: "siti", PostId: card.Id,
				ChannelId: w.ChannelID, ChannelName: "hotline", TeamId: w.TeamID, TeamName: "embassy", Type: "button",
				Context: map[string]any{"secret": "context-canary", "action": "close"},
			})
			if trigger == "" {
				t.Error("no trigger id")
			}
		}},
		{"a press is not authenticated: no token and no signature in a header", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			var seen http.Header
			e.answer = func(_ http.ResponseWriter, r *http.Request) { seen = r.Header }
			card := w.card(e, "claim")
			want(t, "status", w.Press(w.Officers[0], card.Id, "claim"), http.StatusOK)
			want(t, "authorization", seen.Get("Authorization"), "")
			want(t, "agent", seen.Get("User-Agent"), "Mattermost-Bot/1.1")
		}},
		{"the context and the address are shown to nobody", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			screen := w.Watch(w.Officers[0])
			card := w.card(e, "claim")
			posted, _ := screen.Next(model.WebsocketEventPosted).GetData()["post"].(string)
			shown := []string{posted}
			for _, who := range []Account{w.Bot, w.Officers[0], w.Admin} {
				for _, path := range []string{"/posts/" + card.Id, "/posts/" + card.Id + "/thread", "/channels/" + w.ChannelID + "/posts"} {
					_, body := w.raw(who.Token, http.MethodGet, path, "")
					shown = append(shown, body)
				}
			}
			for _, text := range shown {
				if !strings.Contains(text, "claim") {
					t.Errorf("the button is absent: %.300s", text)
				}
				if strings.Contains(text, "context-canary") || strings.Contains(text, e.URL) {
					t.Errorf("it shows what it should not: %.300s", text)
				}
			}
		}},
		{"the trigger id proves user and time to who has the public key", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			card := w.card(e, "claim")
			w.Press(w.Officers[0], card.Id, "claim")
			var got model.PostActionIntegrationRequest
			e.hit(&got)
			raw, err := base64.StdEncoding.DecodeString(got.TriggerId)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(string(raw), ":")
			if len(parts) != 4 || parts[1] != w.Officers[0].ID {
				t.Fatalf("the trigger id has %d parts", len(parts))
			}
			der, err := base64.StdEncoding.DecodeString(w.PublicKey())
			if err != nil {
				t.Fatal(err)
			}
			key, err := x509.ParsePKIXPublicKey(der)
			if err != nil {
				t.Fatal(err)
			}
			sig, err := base64.StdEncoding.DecodeString(parts[3])
			if err != nil {
				t.Fatal(err)
			}
			valid := func(user string) bool {
				sum := sha256.Sum256([]byte(parts[0] + ":" + user + ":" + parts[2] + ":"))
				return ecdsa.VerifyASN1(key.(*ecdsa.PublicKey), sum[:], sig)
			}
			want(t, "genuine", valid(w.Officers[0].ID), true)
			want(t, "another user", valid(w.Officers[1].ID), false)
		}},
		{"an action id with a dash or an underscore cannot be pressed", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			card := w.card(e, "claim-it", "claim_it", "Claim2")
			want(t, "dash", w.PressID(w.Officers[0], card.Id, "claim-it"), http.StatusNotFound)
			want(t, "underscore", w.PressID(w.Officers[0], card.Id, "claim_it"), http.StatusNotFound)
			e.untouched()
			want(t, "letters and digits", w.PressID(w.Officers[0], card.Id, "Claim2"), http.StatusOK)
		}},
		{"an action that the card does not have is 404", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			want(t, "status", w.PressID(w.Officers[0], w.card(e, "claim").Id, "other"), http.StatusNotFound)
			e.untouched()
		}},
		{"an action without an id is given one", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			p := w.create(w.Bot, &model.Post{Props: model.StringInterface{"attachments": []any{map[string]any{"actions": []any{
				map[string]any{"name": "Claim", "integration": map[string]any{"url": e.URL}},
			}}}}})
			want(t, "status", w.Press(w.Officers[0], p.Id, "Claim"), http.StatusOK)
		}},
		{"an outsider's press is 403, one without a session 401", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			card := w.card(e, "claim")
			want(t, "outsider", w.Press(w.Outsider, card.Id, "claim"), http.StatusForbidden)
			want(t, "nobody", w.PressID(Account{URL: w.URL, Username: "nobody"}, card.Id, "claim"), http.StatusUnauthorized)
			e.untouched()
		}},
		{"an administrator who is no member can press", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			card := w.card(e, "claim")
			want(t, "status", w.Press(w.Admin, card.Id, "claim"), http.StatusOK)
			var got model.PostActionIntegrationRequest
			e.hit(&got)
			want(t, "user", got.UserId, w.Admin.ID)
			_, resp, err := w.Bot.Client().GetChannelMember(context.Background(), w.ChannelID, w.Admin.ID, "")
			want(t, "membership", w.status(resp, err), http.StatusNotFound)
		}},
		{"a bot can press", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			want(t, "status", w.Press(w.Bot, w.card(e, "claim").Id, "claim"), http.StatusOK)
		}},
		{"a disabled button can be pressed", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			p := w.create(w.Bot, &model.Post{Props: model.StringInterface{"attachments": []any{map[string]any{"actions": []any{
				map[string]any{"id": "claim", "name": "Claim", "type": "button", "disabled": true, "integration": map[string]any{"url": e.URL}},
			}}}}})
			want(t, "status", w.Press(w.Officers[0], p.Id, "claim"), http.StatusOK)
		}},
		{"an officer's own card calls our endpoint with his own context", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			p := w.create(w.Officers[0], &model.Post{Props: model.StringInterface{"attachments": []any{map[string]any{"actions": []any{
				map[string]any{"id": "claim", "name": "Claim", "integration": map[string]any{"url": e.URL, "context": map[string]any{"forged": true}}},
			}}}}})
			want(t, "status", w.Press(w.Officers[1], p.Id, "claim"), http.StatusOK)
			var got model.PostActionIntegrationRequest
			e.hit(&got)
			want(t, "context", got.Context, map[string]any{"forged": true})
		}},
		{"a press on a deleted card is 404", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			card := w.card(e, "claim")
			w.Delete(w.Bot, card.Id)
			want(t, "status", w.PressID(w.Officers[0], card.Id, "claim"), http.StatusNotFound)
			e.untouched()
		}},
		{"an update without props keeps the card, and marks it as edited", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			card := w.card(e, "claim")
			e.says(map[string]any{"update": map[string]any{"message": "taken", "id": model.NewId(), "user_id": w.Officers[0].ID}})
			want(t, "status", w.Press(w.Officers[0], card.Id, "claim"), http.StatusOK)
			got := w.Thread(card.Id)[0]
			want(t, "words", got.Message, "taken")
			want(t, "author", got.UserId, w.Bot.ID)
			want(t, "prop", got.GetProp("relay_key"), any("abc"))
			want(t, "attachments", len(got.Attachments()), 1)
			want(t, "edited", got.EditAt != 0, true)
		}},
		{"an update with props replaces all of them", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			card := w.card(e, "claim")
			e.says(map[string]any{"update": map[string]any{"message": "", "props": map[string]any{"mine": "1"}}})
			want(t, "status", w.Press(w.Officers[0], card.Id, "claim"), http.StatusOK)
			want(t, "props", map[string]any(w.Thread(card.Id)[0].GetProps()), map[string]any{"mine": "1"})
		}},
		{"ephemeral words reach the presser only and are kept nowhere", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			card := w.card(e, "claim")
			siti, budi := w.Watch(w.Officers[0]), w.Watch(w.Officers[1])
			e.says(map[string]any{"ephemeral_text": "marker-for-siti-only"})
			want(t, "status", w.Press(w.Officers[0], card.Id, "claim"), http.StatusOK)
			want(t, "words", siti.Ephemeral(), "marker-for-siti-only")
			w.Post(w.Bot, card.Id, "after")
			if ev := budi.Next(model.WebsocketEventPosted, model.WebsocketEventEphemeralMessage); ev.EventType() != model.WebsocketEventPosted {
				t.Error("another officer sees it")
			}
			want(t, "kept", strings.Contains(string(w.Dump()), "marker-for-siti-only"), false)
		}},
		{"an endpoint that is down, fails or talks nonsense is 400, and the card stays", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			card := w.card(e, "claim")
			e.answer = func(rw http.ResponseWriter, _ *http.Request) {
				http.Error(rw, "marker-of-our-endpoint", http.StatusInternalServerError)
			}
			status, body := w.raw(w.Officers[0].Token, http.MethodPost, "/posts/"+card.Id+"/actions/claim", "")
			want(t, "500", status, http.StatusBadRequest)
			want(t, "our words are shown", strings.Contains(body, "marker-of-our-endpoint"), false)
			e.answer = func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("<html>")) }
			want(t, "nonsense", w.Press(w.Officers[0], card.Id, "claim"), http.StatusBadRequest)
			down := &endpoint{URL: "http://127.0.0.1:1"}
			want(t, "down", w.Press(w.Officers[0], w.card(down, "claim").Id, "claim"), http.StatusBadRequest)
			want(t, "words", w.Thread(card.Id)[0].Message, "A card")
		}},
		{"an empty answer is fine", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			e.answer = func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusOK) }
			want(t, "status", w.Press(w.Officers[0], w.card(e, "claim").Id, "claim"), http.StatusOK)
		}},
		{"a status of 2xx other than 200 is 400", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			e.answer = func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) }
			want(t, "status", w.Press(w.Officers[0], w.card(e, "claim").Id, "claim"), http.StatusBadRequest)
		}},
		{"a menu's choice reaches the endpoint unchecked", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			p := w.create(w.Bot, &model.Post{Props: model.StringInterface{"attachments": []any{map[string]any{"actions": []any{
				map[string]any{"id": "who", "name": "Who", "type": "select", "options": []any{map[string]any{"text": "A", "value": "a"}}, "integration": map[string]any{"url": e.URL}},
			}}}}})
			resp, err := w.Officers[0].Client().DoPostActionWithCookie(context.Background(), p.Id, "who", "mallory", "")
			want(t, "status", w.status(resp, err), http.StatusOK)
			var got model.PostActionIntegrationRequest
			e.hit(&got)
			want(t, "context", got.Context, map[string]any{"selected_option": "mallory"})
		}},
		{"a menu's choice comes with the menu's own context, over a field of that name", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			p := w.menu(e, "claim", "a", "b")
			want(t, "status", w.Choose(w.Officers[0], p.Id, "More", "b"), http.StatusOK)
			var got model.PostActionIntegrationRequest
			e.hit(&got)
			want(t, "type", got.Type, "select")
			want(t, "post", got.PostId, p.Id)
			want(t, "user", got.UserId, w.Officers[0].ID)
			want(t, "signed", got.TriggerId != "", true)
			want(t, "context", got.Context, map[string]any{
				"secret": "context-canary", "entries": []any{map[string]any{"action": "x"}}, "selected_option": "b",
			})
		}},
		{"a menu pressed without a choice keeps what the context says", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			want(t, "status", w.Press(w.Officers[0], w.menu(e, "claim", "a").Id, "More"), http.StatusOK)
			var got model.PostActionIntegrationRequest
			e.hit(&got)
			want(t, "choice", got.Context["selected_option"], any("own"))
		}},
		{"a choice sent to a button is not passed on", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			want(t, "status", w.Choose(w.Officers[0], w.menu(e, "claim", "a").Id, "claim", "a"), http.StatusOK)
			var got model.PostActionIntegrationRequest
			e.hit(&got)
			want(t, "context", got.Context, map[string]any{"action": "claim"})
		}},
		{"a menu's options are shown, its context is not", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			p := w.menu(e, "claim", "value-a")
			_, body := w.raw(w.Officers[0].Token, http.MethodGet, "/posts/"+p.Id, "")
			want(t, "options", strings.Contains(body, "value-a"), true)
			want(t, "context", strings.Contains(body, "context-canary"), false)
		}},
		{"an option that the card has lost since still arrives, with the new context", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			p := w.menu(e, "claim", "old")
			props := model.StringInterface{"attachments": []any{map[string]any{"actions": []any{menuAction(e, "new")}}}}
			_, _, err := w.Bot.Client().PatchPost(context.Background(), p.Id, &model.PostPatch{Props: &props})
			w.must(err, "change the card")
			want(t, "status", w.Choose(w.Officers[0], p.Id, "more", "old"), http.StatusOK)
			var got model.PostActionIntegrationRequest
			e.hit(&got)
			want(t, "choice", got.Context["selected_option"], any("old"))
			want(t, "an outsider's choice", w.Choose(w.Outsider, p.Id, "more", "new"), http.StatusForbidden)
		}},
		{"the endpoint may itself change the card while it is asked", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			card := w.card(e, "claim")
			bot := w.Bot.Client()
			e.answer = func(http.ResponseWriter, *http.Request) {
				text := "changed meanwhile"
				if _, _, err := bot.PatchPost(context.Background(), card.Id, &model.PostPatch{Message: &text}); err != nil {
					t.Errorf("patch: %v", err)
				}
			}
			want(t, "status", w.Press(w.Officers[0], card.Id, "claim"), http.StatusOK)
			want(t, "words", w.Thread(card.Id)[0].Message, "changed meanwhile")
		}},
		{"PatchPost of a card keeps its buttons working", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			card := w.card(e, "claim")
			w.Edit(w.Bot, card.Id, "new words")
			want(t, "status", w.Press(w.Officers[0], card.Id, "claim"), http.StatusOK)
			var got model.PostActionIntegrationRequest
			e.hit(&got)
			want(t, "context", got.Context["secret"], any("context-canary"))
		}},
	}
}

func dialogFacts() []fact {
	// opened lets an officer press and opens a dialog for the press.
	opened := func(t *testing.T, w *World, e *endpoint, who Account) (*Screen, *model.OpenDialogRequest, string) {
		t.Helper()
		screen := w.Watch(who)
		card := w.card(e, "close")
		want(t, "press", w.Press(who, card.Id, "close"), http.StatusOK)
		var got model.PostActionIntegrationRequest
		e.hit(&got)
		req := model.OpenDialogRequest{TriggerId: got.TriggerId, URL: e.URL + "/dialog", Dialog: model.Dialog{
			CallbackId: "close", Title: "Close the case?", State: "signed-state", NotifyOnCancel: true,
			Elements: []model.DialogElement{{DisplayName: "Why", Name: "why", Type: "text"}},
		}}
		_, err := w.Bot.Client().OpenInteractiveDialog(context.Background(), req)
		w.must(err, "open the dialog")
		return screen, screen.Dialog(), got.TriggerId
	}
	return []fact{
		{"a dialog opens for the presser, with its address and state in the clear", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			_, d, trigger := opened(t, w, e, w.Officers[0])
			want(t, "address", d.URL, e.URL+"/dialog")
			want(t, "state", d.Dialog.State, "signed-state")
			want(t, "the whole trigger id is passed on", d.TriggerId == trigger, false)
		}},
		{"opening needs no session, only a genuine trigger id", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			_, _, trigger := opened(t, w, e, w.Officers[0])
			open := func(trigger string) int {
				body, err := json.Marshal(model.OpenDialogRequest{TriggerId: trigger, URL: e.URL, Dialog: model.Dialog{Title: "x"}})
				if err != nil {
					t.Fatal(err)
				}
				status, _ := w.raw("", http.MethodPost, "/actions/dialogs/open", string(body))
				return status
			}
			want(t, "again", open(trigger), http.StatusOK)
			raw, err := base64.StdEncoding.DecodeString(trigger)
			if err != nil {
				t.Fatal(err)
			}
			forged := strings.Replace(string(raw), w.Officers[0].ID, w.Officers[1].ID, 1)
			want(t, "for somebody else", open(base64.StdEncoding.EncodeToString([]byte(forged))), http.StatusBadRequest)
			want(t, "nonsense", open("nonsense"), http.StatusBadRequest)
		}},
		{"what is filled in passes through, and its errors come back", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			_, d, _ := opened(t, w, e, w.Officers[0])
			e.says(model.SubmitDialogResponse{Errors: map[string]string{"why": "too short"}})
			answer, status := w.SubmitDialog(w.Officers[0], d, map[string]any{"why": "done"})
			want(t, "status", status, http.StatusOK)
			want(t, "errors", answer.Errors, map[string]string{"why": "too short"})
			var got model.SubmitDialogRequest
			e.hit(&got)
			want(t, "request", got, model.SubmitDialogRequest{
				Type: "dialog_submission", CallbackId: "close", State: "signed-state",
				UserId: w.Officers[0].ID, ChannelId: w.ChannelID, TeamId: w.TeamID, Submission: map[string]any{"why": "done"},
			})
		}},
		{"fields of each kind arrive as they were sent, and are not checked", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			_, first, trigger := opened(t, w, e, w.Officers[0])
			screen := w.Watch(w.Officers[0])
			fields := []model.DialogElement{
				{DisplayName: "Line", Name: "line", Type: "text", Default: "x", Placeholder: "2006-01-02", HelpText: "help", MaxLength: 150},
				{DisplayName: "Area", Name: "area", Type: "textarea", Optional: true, MaxLength: 3000},
				{DisplayName: "Choice", Name: "choice", Type: "select", Default: "b", Options: []*model.PostActionOptions{{Text: "A", Value: "a"}, {Text: "B", Value: "b"}}},
				{DisplayName: "Box", Name: "box", Type: "bool", Placeholder: "if so", Default: "true", Optional: true},
				{DisplayName: "Who", Name: "who", Type: "select", DataSource: "users"},
			}
			for i := range 15 {
				fields = append(fields, model.DialogElement{DisplayName: "Many", Name: "many" + string(rune('a'+i)), Type: "text", Optional: true})
			}
			_, err := w.Bot.Client().OpenInteractiveDialog(context.Background(), model.OpenDialogRequest{
				TriggerId: trigger, URL: first.URL, Dialog: model.Dialog{CallbackId: "close", Title: "Twenty fields", State: strings.Repeat("s", 2000), Elements: fields},
			})
			w.must(err, "open the dialog")
			d := screen.Dialog()
			want(t, "fields", d.Dialog.Elements, fields)
			want(t, "state", len(d.Dialog.State), 2000)
			sent := map[string]any{"line": strings.Repeat("x", 16384), "choice": "never offered", "box": false, "who": "nobody", "other": "field"}
			_, status := w.SubmitDialog(w.Officers[0], d, sent)
			want(t, "status", status, http.StatusOK)
			var got model.SubmitDialogRequest
			e.hit(&got)
			want(t, "values", got.Submission, sent)
		}},
		{"an answer may be the next form, which passes back to the client", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			_, d, _ := opened(t, w, e, w.Officers[0])
			next := model.Dialog{
				CallbackId: "close", Title: "Next", IntroductionText: "So it will be.", State: "second-state", SubmitLabel: "Send",
				Elements: []model.DialogElement{{DisplayName: "Why", Name: "why", Type: "text", Default: "done"}},
			}
			e.says(model.SubmitDialogResponse{Type: "form", Form: &next})
			answer, status := w.SubmitDialog(w.Officers[0], d, map[string]any{"why": "done"})
			want(t, "status", status, http.StatusOK)
			want(t, "type", answer.Type, "form")
			want(t, "form", answer.Form, &next)
		}},
		{"a cancelled dialog says so", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			_, d, _ := opened(t, w, e, w.Officers[0])
			want(t, "status", w.CancelDialog(w.Officers[0], d), http.StatusOK)
			var got model.SubmitDialogRequest
			e.hit(&got)
			want(t, "cancelled", got.Cancelled, true)
		}},
		{"anybody in a channel forges a submission; only the user id is the server's", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			_, resp, err := w.Officers[1].Client().SubmitInteractiveDialog(context.Background(), model.SubmitDialogRequest{
				URL: e.URL, CallbackId: "forged", State: "forged", UserId: w.Officers[0].ID, ChannelId: w.ChannelID, TeamId: w.TeamID,
			})
			want(t, "status", w.status(resp, err), http.StatusOK)
			var got model.SubmitDialogRequest
			e.hit(&got)
			want(t, "user, state", [2]string{got.UserId, got.State}, [2]string{w.Officers[1].ID, "forged"})
		}},
		{"an outsider cannot name the officers' channel", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			_, status := w.SubmitDialog(w.Outsider, &model.OpenDialogRequest{URL: e.URL}, nil)
			want(t, "status", status, http.StatusForbidden)
			e.untouched()
		}},
		{"an endpoint that is down is 400, one that talks nonsense 500", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			_, status := w.SubmitDialog(w.Officers[0], &model.OpenDialogRequest{URL: "http://127.0.0.1:1"}, nil)
			want(t, "down", status, http.StatusBadRequest)
			e.answer = func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("<html>")) }
			_, status = w.SubmitDialog(w.Officers[0], &model.OpenDialogRequest{URL: e.URL}, nil)
			want(t, "nonsense", status, http.StatusInternalServerError)
		}},
	}
}
