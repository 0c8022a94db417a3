package standin

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
)

// A Thread is a root post with its replies, as a client would draw it.
type Thread struct {
	Root    Post   `json:"root"`
	Replies []Post `json:"replies"`
}

// A Post is what a client draws of a post.
type Post struct {
	ID      string    `json:"id"`
	UserID  string    `json:"user_id"`
	Author  string    `json:"author"` // the username
	Bot     bool      `json:"bot"`
	System  bool      `json:"system"` // a line of the server's own
	At      time.Time `json:"at"`
	Text    string    `json:"text"`
	Edited  bool      `json:"edited"`
	Deleted bool      `json:"deleted"` // clients show "(message deleted)"
	Pinned  bool      `json:"pinned"`
	// Priority is "urgent", "important" or empty.
	Priority  string       `json:"priority"`
	Cards     []Attachment `json:"cards"`
	Reactions []Reaction   `json:"reactions"`
	Files     []string     `json:"files"`
}

// An Attachment is a card below a post's text.
type Attachment struct {
	Color   string   `json:"color"`
	Pretext string   `json:"pretext"`
	Title   string   `json:"title"`
	Text    string   `json:"text"`
	Footer  string   `json:"footer"`
	Fields  []Field  `json:"fields"`
	Actions []Action `json:"actions"`
}

// A Field is a labelled value of a card.
type Field struct {
	Title string `json:"title"`
	Value string `json:"value"`
	Short bool   `json:"short"`
}

// An Action is a button of a card.
type Action struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Style    string `json:"style"`
	Type     string `json:"type"`
	Disabled bool   `json:"disabled"`
	// Options are a menu's.
	Options []Option `json:"options,omitempty"`
}

// A Reaction is an emoji and who put it there.
type Reaction struct {
	Emoji string   `json:"emoji"`
	By    []string `json:"by"` // usernames
}

// Snapshot returns a channel as it is now, the oldest thread first. The
// server's own lines are threads of their own. Posts that were deleted are
// left out unless somebody looks at their thread: a deleted reply is marked.
func (s *Server) Snapshot(channelID string) []Thread {
	s.mu.Lock()
	defer s.mu.Unlock()
	threads := []Thread{}
	at := map[string]int{}
	for _, row := range s.rows {
		p := s.posts[row]
		if p.ChannelId != channelID || p.OriginalId != "" {
			continue
		}
		if p.RootId == "" {
			if p.DeleteAt == 0 {
				at[p.Id] = len(threads)
				threads = append(threads, Thread{Root: s.draw(p), Replies: []Post{}})
			}
			continue
		}
		if i, shown := at[p.RootId]; shown {
			threads[i].Replies = append(threads[i].Replies, s.draw(p))
		}
	}
	return threads
}

// draw is what a client draws of a post.
func (s *Server) draw(p *model.Post) Post {
	d := Post{
		ID: p.Id, UserID: p.UserId, Author: s.users[p.UserId].Username, Bot: s.users[p.UserId].bot,
		System: p.IsSystemMessage(), At: time.UnixMilli(p.CreateAt), Edited: p.EditAt != 0,
		Deleted: p.DeleteAt != 0, Pinned: p.IsPinned,
		Cards: []Attachment{}, Reactions: []Reaction{}, Files: []string{},
	}
	if d.Deleted {
		return d
	}
	d.Text = p.Message
	if pr := s.priority[p.Id]; pr != nil && pr.Priority != nil {
		d.Priority = *pr.Priority
	}
	for _, a := range p.Attachments() {
		card := Attachment{
			Color: a.Color, Pretext: a.Pretext, Title: a.Title, Text: a.Text, Footer: a.Footer,
			Fields: []Field{}, Actions: []Action{},
		}
		for _, f := range a.Fields {
			card.Fields = append(card.Fields, Field{Title: f.Title, Value: fmt.Sprint(f.Value), Short: bool(f.Short)})
		}
		for _, b := range a.Actions {
			action := Action{ID: b.Id, Name: b.Name, Style: b.Style, Type: b.Type, Disabled: b.Disabled}
			for _, o := range b.Options {
				action.Options = append(action.Options, Option{Text: o.Text, Value: o.Value})
			}
			card.Actions = append(card.Actions, action)
		}
		d.Cards = append(d.Cards, card)
	}
	for _, r := range s.reacted[p.Id] {
		name := s.users[r.UserId].Username
		i := slices.IndexFunc(d.Reactions, func(x Reaction) bool { return x.Emoji == r.EmojiName })
		if i < 0 {
			d.Reactions = append(d.Reactions, Reaction{Emoji: r.EmojiName, By: []string{name}})
			continue
		}
		d.Reactions[i].By = append(d.Reactions[i].By, name)
	}
	for _, id := range p.FileIds {
		if f := s.files[id]; f != nil {
			d.Files = append(d.Files, f.Name)
		}
	}
	return d
}

// Changes returns a channel that holds a value whenever something may have
// changed since it was last read, and a function that ends it.
func (s *Server) Changes() (<-chan struct{}, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := make(chan struct{}, 1)
	s.watchers[w] = true
	return w, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, w)
	}
}

// changed tells the watchers.
func (s *Server) changed() {
	for w := range s.watchers {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

// A Notice is what the server pushes to one person only.
type Notice struct {
	// Ephemeral are words that only this person sees, Root the thread.
	Ephemeral string
	Root      string
	// Dialog is a dialog that opens, or nil.
	Dialog *Dialog
}

// boxSize is how many notices wait for somebody who does not read them.
const boxSize = 64

// A box takes the notices to one person.
type box struct {
	user string
	out  chan Notice
}

// Notices returns what is shown to one person only, as a websocket of theirs
// would tell it: dialogs and ephemeral words. The function that it returns ends
// it. Notices that nobody reads are dropped.
func (s *Server) Notices(userID string) (<-chan Notice, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := &box{user: userID, out: make(chan Notice, boxSize)}
	s.boxes[x] = true
	return x.out, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.boxes, x)
	}
}

func (x *box) put(ev *model.WebSocketEvent) {
	var n Notice
	switch ev.EventType() {
	case model.WebsocketEventEphemeralMessage:
		text, _ := ev.GetData()["post"].(string)
		var p model.Post
		if json.Unmarshal([]byte(text), &p) != nil {
			return
		}
		n.Ephemeral, n.Root = p.Message, p.RootId
	case model.WebsocketEventOpenDialog:
		text, _ := ev.GetData()["dialog"].(string)
		var r model.OpenDialogRequest
		if json.Unmarshal([]byte(text), &r) != nil {
			return
		}
		n.Dialog = dialog(&r)
	default:
		return
	}
	select {
	case x.out <- n:
	default:
	}
}

// Dump is everything that the server keeps, as text.
func (s *Server) Dump() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := struct {
		Users     map[string]*user
		Channels  map[string]*channel
		Posts     map[string]*model.Post
		Reactions map[string][]*model.Reaction
		Files     map[string]*file
	}{s.users, s.channels, s.posts, s.reacted, s.files}
	return json.MarshalIndent(kept, "", " ")
}
