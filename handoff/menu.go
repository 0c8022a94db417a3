package handoff

import (
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
)

// menuID is the action id of a card's menu.
const menuID = "more"

// A menuContext is what a card's menu carries, beside what Mattermost adds: the
// option that the officer's client says was chosen. The server does not compare
// it with the options, so the entries are signed with the menu and looked up.
type menuContext struct {
	Conversation string      `json:"conversation"`
	Entries      []menuEntry `json:"entries"`
	MAC          string      `json:"mac"`
}

// A menuEntry is an action as a menu carries it.
type menuEntry struct {
	Action  string `json:"action"`
	Choice  string `json:"choice,omitempty"`
	Label   string `json:"label"`
	Confirm string `json:"confirm,omitempty"`
	Form    bool   `json:"form,omitempty"`
}

// option is the value by which a client names an entry. It says what the entry
// is and not where it stands, so that one chosen from an old card is never
// another.
func (e menuEntry) option() string { return strings.TrimSuffix(e.Action+":"+e.Choice, ":") }

// menu is the card's menu, nil without one.
func (d *Desk) menu(dl engine.Delivery) *model.PostAction {
	if len(dl.Card.Menu) == 0 {
		return nil
	}
	m := menuContext{Conversation: dl.Conversation}
	a := &model.PostAction{Id: menuID, Type: model.PostActionTypeSelect, Name: ours(dl.Card.More)}
	for _, action := range dl.Card.Menu {
		e := menuEntry{Action: string(action.Name), Choice: action.Choice, Label: action.Label, Confirm: action.Confirm, Form: action.Form}
		m.Entries = append(m.Entries, e)
		a.Options = append(a.Options, &model.PostActionOptions{Text: ours(action.Label), Value: e.option()})
	}
	a.Integration = &model.PostActionIntegration{URL: d.CallbackURL + actionPath, Context: map[string]any{
		"conversation": m.Conversation, "entries": m.Entries, "mac": hex.EncodeToString(d.menuMAC(m)),
	}}
	return a
}

func (d *Desk) menuMAC(m menuContext) []byte {
	fields := []string{m.Conversation}
	for _, e := range m.Entries {
		fields = append(fields, e.Action, e.Choice, e.Label, e.Confirm)
	}
	return d.mac("menu", append(fields, formMarks(m.Entries)...)...)
}

// readPress returns the button that was pressed or the menu's entry that was
// chosen, and whether it is one of ours.
func (d *Desk) readPress(context map[string]any) (buttonContext, bool) {
	chosen, isMenu := context["selected_option"].(string)
	if !isMenu {
		return d.readButton(context)
	}
	var m menuContext
	raw, err := json.Marshal(context)
	if err != nil || json.Unmarshal(raw, &m) != nil {
		return buttonContext{}, false
	}
	got, err := hex.DecodeString(m.MAC)
	if err != nil || !hmac.Equal(got, d.menuMAC(m)) {
		return buttonContext{}, false
	}
	i := slices.IndexFunc(m.Entries, func(e menuEntry) bool { return e.option() == chosen })
	if i < 0 {
		return buttonContext{}, false
	}
	e := m.Entries[i]
	return buttonContext{Conversation: m.Conversation, Action: e.Action, Choice: e.Choice, Label: e.Label, Confirm: e.Confirm, Form: e.Form}, true
}

// event is what an officer's action becomes.
func (x deed) event() flows.Event {
	switch flows.ActionName(x.action) {
	case flows.ActionClaim:
		return flows.Claimed{Officer: x.officer}
	case flows.ActionClose:
		return flows.Closed{Officer: x.officer}
	}
	return x.acted()
}
