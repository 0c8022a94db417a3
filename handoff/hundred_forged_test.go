package handoff

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
)

// TestForgedRequestsDoNothing sends to the endpoint what is almost a genuine press or
// a genuine answer of siti's, who may do all of it.
func TestForgedRequestsDoNothing(t *testing.T) {
	s := besiege(t)
	root := string(s.root)
	siti, budi := s.w.Officers[0], s.w.Officers[1]
	press := s.held(func() { s.w.Press(siti, root, "Claim") })
	chosen := s.held(func() { s.w.Choose(siti, root, "More…", "look") })
	used := s.held(func() { s.w.Press(siti, root, "Claim") })
	if _, body := s.direct(actionPath, used); strings.Contains(body, s.Words.Refused) {
		t.Fatal("the genuine press is refused")
	}
	answer := model.SubmitDialogRequest{
		CallbackId: s.dialog.Dialog.CallbackId, State: s.dialog.Dialog.State, UserId: siti.ID, ChannelId: s.w.ChannelID, TeamId: s.w.TeamID, Submission: map[string]any{},
	}
	var ways []way
	raw := func(name, path string, body []byte) {
		ways = append(ways, way{name: name, do: func() (int, string) { return s.send(http.MethodPost, path, body) }})
	}
	ofPress := func(name string, from model.PostActionIntegrationRequest, change func(*model.PostActionIntegrationRequest)) {
		p := from
		p.Context = maps.Clone(from.Context)
		change(&p)
		raw(name, actionPath, encode(t, p))
	}
	pressed := func(name string, change func(*model.PostActionIntegrationRequest)) {
		ofPress("a press: "+name, press, change)
	}

	// What the button carries.
	for key, values := range map[string][]any{
		"conversation": {"", "other", 7, nil, []any{"blind"}, " blind"},
		"action":       {"close", "look", "", "CLAIM", "claim ", 1},
		"choice":       {"on", "claim"},
		"label":        {"", "Close", "Claim\x00"},
		"confirm":      {"x", "Close the case?"},
		"card":         {root, model.NewId()},
		"mac":          {"", 7, nil, "zz", strings.Repeat("0", 64), strings.Repeat("0", 63)},
	} {
		for _, v := range values {
			pressed(named("%s is %#v", key, v), func(p *model.PostActionIntegrationRequest) { p.Context[key] = v })
		}
		pressed("without "+key, func(p *model.PostActionIntegrationRequest) {
			if _, there := p.Context[key]; there && key != "choice" && key != "confirm" {
				delete(p.Context, key)
			} else {
				p.Context = map[string]any{key: "x"}
			}
		})
	}
	mac, _ := press.Context["mac"].(string)
	for name, forged := range map[string]string{
		"with its first half": mac[:len(mac)/2], "twice": mac + mac, "with a bit changed at its end": flip(t, mac, len(mac)/2-1), "with a bit changed at its beginning": flip(t, mac, 0),
		"of another button": fmt.Sprint(s.genuine["Close"]["mac"]), "of the menu": fmt.Sprint(s.genuine["menu"]["mac"]),
	} {
		pressed("the code "+name, func(p *model.PostActionIntegrationRequest) { p.Context["mac"] = forged })
	}
	pressed("no context", func(p *model.PostActionIntegrationRequest) { p.Context = nil })

	// The menu.
	for _, option := range []any{"close", "mark", "mark:off", "look:", "LOOK", "", 7, []any{"look"}} {
		ofPress(named("the menu: chosen is %#v", option), chosen, func(p *model.PostActionIntegrationRequest) { p.Context["selected_option"] = option })
	}
	ofPress("the menu: no entries", chosen, func(p *model.PostActionIntegrationRequest) { p.Context["entries"] = []any{} })
	ofPress("the menu: an entry of their own", chosen, func(p *model.PostActionIntegrationRequest) {
		p.Context["entries"] = []any{map[string]any{"action": "look", "label": "Look"}}
	})
	ofPress("the menu: another conversation", chosen, func(p *model.PostActionIntegrationRequest) { p.Context["conversation"] = "other" })
	ofPress("the menu: a button's code", chosen, func(p *model.PostActionIntegrationRequest) { p.Context["mac"] = mac })

	// Mattermost's own signature of who pressed and when.
	decoded, err := base64.StdEncoding.DecodeString(press.TriggerId)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(decoded), ":")
	trigger := func(i int, to string) string {
		p := append([]string{}, parts...)
		p[i] = to
		return base64.StdEncoding.EncodeToString([]byte(strings.Join(p, ":")))
	}
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, selfSigned, appErr := model.GenerateTriggerId(siti.ID, own)
	if appErr != nil {
		t.Fatal(appErr)
	}
	for name, id := range map[string]string{
		"empty": "", "no base64": "§", "of another key": selfSigned, "with another id": trigger(0, model.NewId()), "with a short id": trigger(0, "x"),
		"with another time": trigger(2, fmt.Sprint(time.Now().UnixMilli()+1)), "without a time": trigger(2, ""), "without a signature": trigger(3, ""),
		"with a signature of nothing": trigger(3, base64.StdEncoding.EncodeToString(make([]byte, 70))), "with a part more": base64.StdEncoding.EncodeToString(append(decoded, ":x"...)),
		"with a part less": base64.StdEncoding.EncodeToString([]byte(strings.Join(parts[:3], ":"))), "that came before": used.TriggerId,
	} {
		pressed("a trigger "+name, func(p *model.PostActionIntegrationRequest) { p.TriggerId = id })
	}
	pressed("a trigger for budi, as budi", func(p *model.PostActionIntegrationRequest) { p.TriggerId, p.UserId = trigger(1, budi.ID), budi.ID })
	for name, user := range map[string]string{"budi": budi.ID, "nobody": "", "the bot": s.w.Bot.ID, "the administrator": s.w.Admin.ID, "siti's name": siti.Username} {
		pressed("in the name of "+name, func(p *model.PostActionIntegrationRequest) { p.UserId = user })
	}
	for name, channel := range map[string]string{"a public channel": s.square, "no channel": "", "a channel that is not there": model.NewId()} {
		pressed("from "+name, func(p *model.PostActionIntegrationRequest) { p.ChannelId = channel })
	}
	raw("a press that came before, as it was", actionPath, encode(t, used))

	// What a dialog carries.
	state, sum, _ := strings.Cut(answer.State, ".")
	body, err := base64.RawURLEncoding.DecodeString(state)
	if err != nil {
		t.Fatal(err)
	}
	asked := func(change func(*question)) string {
		q := questionOf(t, body)
		change(&q)
		return base64.RawURLEncoding.EncodeToString(encode(t, q)) + "." + sum
	}
	answered := func(name string, change func(*model.SubmitDialogRequest)) {
		a := answer
		change(&a)
		raw("an answer: "+name, dialogPath, encode(t, a))
	}
	for name, text := range map[string]string{
		"no state": "", "a state without a code": state, "a state with an empty code": state + ".", "a code without a state": "." + sum, "another state with this code": "e30." + sum,
		"a state in another alphabet": base64.StdEncoding.EncodeToString(body) + "." + sum, "a button's code": state + "." + mac, "half of the code": state + "." + sum[:len(sum)/2],
		"for another post": asked(func(q *question) { q.Post = model.NewId() }), "for another conversation": asked(func(q *question) { q.Conversation = "other" }),
		"for another user": asked(func(q *question) { q.User = budi.ID }), "for another action": asked(func(q *question) { q.Action = "claim" }),
		"for another choice": asked(func(q *question) { q.Choice = "on" }), "of another press": asked(func(q *question) { q.Press = model.NewId() }),
		"that never ends": asked(func(q *question) { q.Expiry = 1 << 40 }), "the server's own question": asked(func(q *question) { q.Action = probe }),
	} {
		answered(name, func(a *model.SubmitDialogRequest) { a.State = text })
	}
	answered("of budi", func(a *model.SubmitDialogRequest) { a.UserId = budi.ID })
	answered("of nobody", func(a *model.SubmitDialogRequest) { a.UserId = "" })
	answered("from a public channel", func(a *model.SubmitDialogRequest) { a.ChannelId = s.square })
	answered("of another dialog", func(a *model.SubmitDialogRequest) { a.CallbackId = "claim" })
	answered("of no dialog", func(a *model.SubmitDialogRequest) { a.CallbackId = "" })

	// What is no request at all.
	genuine := encode(t, press)
	for name, text := range map[string][]byte{
		"nothing": nil, "null": []byte("null"), "a list": []byte("[]"), "a number": []byte("1e400"), "half of a press": genuine[:len(genuine)/2], "a form": []byte("user_id=" + siti.ID + "&text=mine"),
		"very deep": []byte(strings.Repeat("[", 20_000)), "very long": append(bytes.Repeat([]byte(" "), 1<<20), genuine...), "bad UTF-8": {'"', 0xff, 0xfe, '"'},
		"the user in capitals": bytes.Replace(genuine, []byte(`"user_id":"`+siti.ID), []byte(`"user_id":"`+strings.ToUpper(siti.ID)), 1),
	} {
		raw("to the buttons: "+name, actionPath, text)
		raw("to the dialogs: "+name, dialogPath, text)
	}
	raw("a press at the dialogs' address", dialogPath, genuine)
	raw("an answer at the buttons' address", actionPath, encode(t, answer))
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		ways = append(ways, way{name: "a press by " + method, do: func() (int, string) { return s.send(method, actionPath, genuine) }, may: true})
	}
	for _, path := range []string{"/", "/mattermost", "/mattermost/", "/mattermost/actions", "/mattermost/action/x", "/mattermost/slash"} {
		ways = append(ways, way{name: "a press at " + path, do: func() (int, string) { return s.send(http.MethodPost, path, genuine) }, may: true})
	}
	s.try(t, ways, nil)
}

// flip changes a bit of a code.
func flip(t *testing.T, mac string, i int) string {
	t.Helper()
	sum, err := hex.DecodeString(mac)
	if err != nil {
		t.Fatal(err)
	}
	sum[i] ^= 1
	return hex.EncodeToString(sum)
}
