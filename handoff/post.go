package handoff

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
)

// propKey is the property by which we know our own posts again.
const propKey = "relay_key"

// Paths under CallbackURL.
const (
	actionPath = "/mattermost/action"
	dialogPath = "/mattermost/dialog"
)

// newPost is a post of ours, part of a delivery. Every one has unsafe_links, a
// string: with it Mattermost fetches nothing that the text names.
func (d *Desk) newPost(p place, dl engine.Delivery, part int, message string) *model.Post {
	post := &model.Post{
		ChannelId:     p.channel,
		RootId:        string(dl.Thread),
		Message:       message,
		PendingPostId: d.pendingID(dl.ID, part),
	}
	post.AddProp(propKey, d.relayKey(dl.ID, part))
	post.AddProp(model.PostPropsUnsafeLinks, "true")
	return post
}

// root is the post of a case's card, which calls.
func (d *Desk) root(p place, dl engine.Delivery, c call) *model.Post {
	dl.Thread = ""
	post := d.newPost(p, dl, 0, title(dl.Card))
	if dl.Card.Mention && len(c.names) > 0 {
		post.Message += " " + mentions(c.names)
	}
	post.AddProp(model.PostPropsAttachments, d.attachments(dl))
	post.AddProp(propCase, dl.Card.Index)
	if dl.Card.Urgent {
		post.Metadata = urgently()
	}
	return post
}

// title is the post's own line: it stands in lists of posts and in
// notifications, which show no attachment.
func title(c flows.Card) string { return "**" + ours(c.Title) + "**" }

// attachments is the card under the title.
func (d *Desk) attachments(dl engine.Delivery) []*model.MessageAttachment {
	c := dl.Card
	a := &model.MessageAttachment{Fallback: ours(c.Title), Color: color(c.Tone), Footer: dl.Witness}
	if !strings.Contains(c.Title, c.Code) {
		a.Title = c.Code
	}
	for _, l := range c.Lines {
		a.Fields = append(a.Fields, &model.MessageAttachmentField{
			Title: ours(l.Label), Value: ours(l.Value), Short: model.SlackCompatibleBool(utf8.RuneCountInString(l.Value) <= 40),
		})
	}
	for i, action := range c.Actions {
		style := "default"
		if i == 0 {
			style = "primary"
		}
		a.Actions = append(a.Actions, &model.PostAction{
			Id: actionID(action.Name), Type: model.PostActionTypeButton, Name: ours(action.Label), Style: style,
			Integration: &model.PostActionIntegration{URL: d.CallbackURL + actionPath, Context: d.context(dl, action)},
		})
	}
	if menu := d.menu(dl); menu != nil {
		a.Actions = append(a.Actions, menu)
	}
	return []*model.MessageAttachment{a}
}

// context is a button's context as Mattermost keeps it.
func (d *Desk) context(dl engine.Delivery, a flows.Action) map[string]any {
	return d.buttonFor(dl, a).fields()
}

// actionID is a name that Mattermost can route: letters and digits only.
func actionID(name flows.ActionName) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, string(name))
}

// color is the colour of a card's edge.
func color(t flows.Tone) string {
	switch t {
	case flows.ToneDanger:
		return "#c62828"
	case flows.ToneWaiting:
		return "#ef8c00"
	case flows.ToneActive:
		return "#2e7d32"
	default:
		return "#7a7a7a"
	}
}

// relayed is a person's words as posts, our label above the first.
func relayed(e flows.Relay) []string {
	label := ""
	if e.Label != "" {
		label = "**" + ours(e.Label) + "**"
	}
	if e.Text == "" {
		return []string{label}
	}
	parts := inert(e.Text, partRunes-utf8.RuneCountInString(label)-1)
	if label != "" {
		parts[0] = label + "\n" + parts[0]
	}
	return parts
}

// emoji is how a sign looks on a post.
func emoji(s flows.Sign) string {
	switch s {
	case flows.SignSent:
		return "white_check_mark"
	case flows.SignHeld:
		return "hourglass_flowing_sand"
	case flows.SignDoubt:
		return "question"
	case flows.SignNote:
		return "lock"
	default:
		return "x"
	}
}

// isSign says whether an emoji is one of our signs.
func isSign(name string) bool {
	return slices.Contains([]string{
		emoji(flows.SignSent), emoji(flows.SignHeld), emoji(flows.SignNote), emoji(flows.SignDoubt), emoji(flows.SignFailed),
	}, name)
}
