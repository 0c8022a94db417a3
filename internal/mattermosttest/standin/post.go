package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mattermost/mattermost/server/public/model"
)

const (
	// maxRunes is the longest message.
	maxRunes = 16383
	// pendingLife is how long a pending_post_id is known.
	pendingLife = 30 * time.Second
)

// A pendingPost is a client's own name for a post. Until the post is there the
// id is empty.
type pendingPost struct {
	post string
	at   time.Time
}

// put keeps a post the way a database does: as what its JSON says.
func (s *Server) put(p *model.Post) *model.Post {
	kept := &model.Post{}
	raw, err := json.Marshal(p)
	if err == nil {
		err = json.Unmarshal(raw, kept)
	}
	if err != nil {
		panic(fmt.Sprintf("standin: a post does not survive JSON: %v", err))
	}
	kept.PendingPostId, kept.Metadata, kept.ReplyCount = "", nil, 0
	if s.posts[kept.Id] == nil {
		s.rows = append(s.rows, kept.Id)
	}
	s.posts[kept.Id] = kept
	s.changed()
	return kept
}

// shownPost is a post as clients see it: without what buttons send to the bot,
// and without the words if it was deleted.
func (s *Server) shownPost(p *model.Post) *model.Post {
	v := p.Clone()
	v.StripActionIntegrations()
	v.Metadata = &model.PostMetadata{}
	if v.DeleteAt != 0 {
		v.Message = ""
		return v
	}
	root := v.Id
	if v.RootId != "" {
		root = v.RootId
	}
	for _, q := range s.posts {
		if q.RootId == root && q.DeleteAt == 0 {
			v.ReplyCount++
		}
	}
	v.Metadata.Reactions = s.reacted[v.Id]
	v.Metadata.Priority = s.priority[v.Id]
	for _, id := range v.FileIds {
		if f := s.files[id]; f != nil {
			v.Metadata.Files = append(v.Metadata.Files, &f.FileInfo)
		}
	}
	return v
}

// system posts a line of the server's own.
func (s *Server) system(c *channel, by, kind, line string) {
	p := &model.Post{ChannelId: c.Id, UserId: by, Type: kind, Message: line}
	p.PreSave()
	s.posted(s.put(p), c)
}

// posted tells the channel of a new post.
func (s *Server) posted(p *model.Post, c *channel) {
	text, err := s.shownPost(p).ToJSON()
	if err != nil {
		panic(fmt.Sprintf("standin: a post does not survive JSON: %v", err))
	}
	ev := model.NewWebSocketEvent(model.WebsocketEventPosted, "", c.Id, "", nil, "")
	ev.Add("channel_type", string(c.Type))
	ev.Add("channel_display_name", c.DisplayName)
	ev.Add("channel_name", c.Name)
	ev.Add("sender_name", "@"+s.users[p.UserId].Username)
	ev.Add("team_id", c.TeamId)
	ev.Add("set_online", true)
	ev.Add("post", text)
	s.publish(ev)
}

// tell tells the channel of a post of what happened to it.
func (s *Server) tell(kind model.WebsocketEventType, p *model.Post) {
	text, err := p.ToJSON()
	if err != nil {
		panic(fmt.Sprintf("standin: a post does not survive JSON: %v", err))
	}
	ev := model.NewWebSocketEvent(kind, "", p.ChannelId, "", nil, "")
	ev.Add("post", text)
	s.publish(ev)
}

// ephemeral shows words to one person only. They are kept nowhere.
func (s *Server) ephemeral(to, channelID, root, text string) {
	p := &model.Post{Type: model.PostTypeEphemeral, ChannelId: channelID, RootId: root, UserId: to, Message: text}
	p.PreSave()
	raw, err := p.ToJSON()
	if err != nil {
		panic(fmt.Sprintf("standin: a post does not survive JSON: %v", err))
	}
	ev := model.NewWebSocketEvent(model.WebsocketEventEphemeralMessage, "", channelID, to, nil, "")
	ev.Add("post", raw)
	s.publish(ev)
}

// storable says why a post cannot be kept, or nil. PostgreSQL takes no NUL, and
// the server answers that as an error of its own.
func storable(p *model.Post) *refusal {
	if utf8.RuneCountInString(p.Message) > maxRunes {
		return bad("model.post.is_valid.message_length.app_error")
	}
	if no := p.IsValid(maxRunes); no != nil {
		return &refusal{no.StatusCode, no.Id}
	}
	props := model.StringInterfaceToJSON(p.GetProps())
	if strings.ContainsRune(p.Message, 0) || strings.Contains(props, `\u0000`) {
		return &refusal{http.StatusInternalServerError, "app.post.save.app_error"}
	}
	return nil
}

func (s *Server) createPost(c *call) (any, *refusal) {
	p := &model.Post{}
	if no := c.decode(p); no != nil {
		return nil, no
	}
	p.SanitizeInput()
	p.UserId = c.user.Id
	if !c.user.admin() {
		p.CreateAt = 0
	}
	ch := s.channels[p.ChannelId]
	if ch == nil || ch.members[c.user.Id] == nil && !c.user.admin() {
		return nil, forbidden()
	}
	if no := s.checkPriority(p); no != nil {
		return nil, no
	}
	if strings.HasPrefix(p.Type, model.PostSystemMessagePrefix) {
		return nil, invalid("post.type")
	}

	pending := p.PendingPostId
	if pending != "" {
		known := s.pending[pending]
		if known != nil && time.Since(known.at) < pendingLife {
			// Whose it is does not matter, nor what it says.
			if q := s.posts[known.post]; q != nil && q.DeleteAt == 0 {
				if s.mayRead(c.user, q.ChannelId) {
					return created{s.shownPost(q)}, nil
				}
			} else {
				return nil, &refusal{http.StatusInternalServerError, "api.post.deduplicate_create_post.failed_to_get"}
			}
		}
	}

	p.SanitizeProps()
	if c.user.bot {
		p.AddProp(model.PostPropsFromBot, "true")
	}
	mention := ""
	if p.Type == "" && !c.user.admin() {
		// The roles that the bot is run with have no use_channel_mentions.
		mention = p.DisableMentionHighlights()
	}
	if p.RootId != "" {
		root := s.posts[p.RootId]
		if root == nil || root.DeleteAt != 0 || root.RootId != "" || root.ChannelId != p.ChannelId {
			return nil, bad("api.post.create_post.root_id.app_error")
		}
	}
	if p.Id != "" {
		return nil, bad("app.post.save.existing.app_error")
	}
	p.Hashtags, _ = model.ParseHashtags(p.Message)
	if p.CreateAt == 0 {
		p.CreateAt = s.later(p.RootId)
	}
	p.PreSave()
	if no := storable(p); no != nil {
		return nil, no
	}
	p.FileIds = s.attach(p)
	priority := p.GetPriority()
	kept := s.put(p)
	if priority != nil {
		s.priority[kept.Id] = priority
	}
	if root := s.posts[kept.RootId]; root != nil {
		root.UpdateAt = kept.CreateAt
	}
	if pending != "" {
		s.pending[pending] = &pendingPost{kept.Id, time.Now()}
	}
	s.posted(kept, ch)
	if mention != "" {
		s.ephemeral(c.user.Id, ch.Id, kept.RootId, "Channel notifications are disabled in "+ch.Name+". The "+mention+" did not trigger any notifications.")
	}
	v := s.shownPost(kept)
	v.PendingPostId = pending
	return created{v}, nil
}

// later is the time of a new reply. The real server needs some milliseconds for
// one, so that two of one writer never share a time, which is what they are
// ordered by; here the next millisecond has to be waited for.
func (s *Server) later(root string) int64 {
	for {
		now := millis()
		if root == "" {
			return now
		}
		if now > s.replied[root] {
			s.replied[root] = now
			return now
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// checkPriority refuses what the server refuses without a licence.
func (s *Server) checkPriority(p *model.Post) *refusal {
	priority := p.GetPriority()
	switch {
	case priority == nil:
		return nil
	case p.RootId != "":
		return bad("api.post.post_priority.priority_post_only_allowed_for_root_post.request_error")
	case priority.RequestedAck != nil && *priority.RequestedAck, priority.PersistentNotifications != nil && *priority.PersistentNotifications:
		return &refusal{http.StatusNotImplemented, "license_error.feature_unavailable"}
	}
	return nil
}

// existing is the post that the path names, deleted ones apart.
func (s *Server) existing(c *call) (*model.Post, *refusal) {
	id := c.PathValue("post")
	if !model.IsValidId(id) {
		return nil, bad("api.context.invalid_url_param.app_error")
	}
	p := s.posts[id]
	if p == nil || p.DeleteAt != 0 {
		return nil, missing("app.post.get.app_error")
	}
	return p, nil
}

func (s *Server) getPost(c *call) (any, *refusal) {
	if c.URL.Query().Get("include_deleted") == "true" {
		if !c.user.admin() {
			return nil, forbidden()
		}
		if p := s.posts[c.PathValue("post")]; p != nil {
			v := s.shownPost(p)
			return v, nil
		}
	}
	p, no := s.existing(c)
	if no != nil {
		return nil, no
	}
	if !s.mayRead(c.user, p.ChannelId) {
		return nil, forbidden()
	}
	return s.shownPost(p), nil
}

func (s *Server) patchPost(c *call) (any, *refusal) {
	patch := &model.PostPatch{}
	if no := c.decode(patch); no != nil {
		return nil, no
	}
	p, no := s.mine(c)
	if no != nil {
		return nil, no
	}
	if !s.users[p.UserId].admin() {
		// Of @channel in a patch the server makes a prop, and with it replaces
		// all the others.
		patch.DisableMentionHighlights()
	}
	changed := p.Clone()
	changed.Patch(patch)
	return s.revise(p, changed)
}

func (s *Server) updatePost(c *call) (any, *refusal) {
	want := &model.Post{}
	if no := c.decode(want); no != nil {
		return nil, no
	}
	p, no := s.mine(c)
	if no != nil {
		return nil, no
	}
	changed := p.Clone()
	changed.Message = want.Message
	changed.IsPinned = want.IsPinned
	changed.SetProps(want.GetProps())
	return s.revise(p, changed)
}

// mine is the post that the path names, if the caller may edit it.
func (s *Server) mine(c *call) (*model.Post, *refusal) {
	p, no := s.existing(c)
	if no != nil {
		return nil, forbidden()
	}
	if c.user.admin() {
		return p, nil
	}
	if p.UserId != c.user.Id || s.channels[p.ChannelId].members[c.user.Id] == nil {
		return nil, forbidden()
	}
	return p, nil
}

// revise puts a changed post into the place of the old one, which becomes a row
// of its history.
func (s *Server) revise(old, changed *model.Post) (any, *refusal) {
	if old.IsSystemMessage() {
		return nil, bad("api.post.update_post.system_message.app_error")
	}
	now := millis()
	changed.SanitizeProps()
	if changed.Message != old.Message || !old.AttachmentsEqual(changed) || !slices.Equal(old.FileIds, changed.FileIds) {
		changed.EditAt = now
	}
	changed.Hashtags, _ = model.ParseHashtags(changed.Message)
	changed.UpdateAt = now
	changed.PreCommit()
	if no := storable(changed); no != nil {
		return nil, no
	}

	history := old.Clone()
	history.OriginalId, history.Id = old.Id, model.NewId()
	history.DeleteAt, history.UpdateAt = now, now
	kept := s.put(changed)
	s.put(history)
	if root := s.posts[kept.RootId]; root != nil {
		root.UpdateAt = now
	}
	v := s.shownPost(kept)
	s.tell(model.WebsocketEventPostEdited, v)
	return v, nil
}

func (s *Server) pinPost(c *call) (any, *refusal)   { return s.pin(c, true) }
func (s *Server) unpinPost(c *call) (any, *refusal) { return s.pin(c, false) }

func (s *Server) pin(c *call, pinned bool) (any, *refusal) {
	p, no := s.existing(c)
	if no != nil {
		return nil, no
	}
	if !s.mayRead(c.user, p.ChannelId) {
		return nil, forbidden()
	}
	changed := p.Clone()
	changed.IsPinned = pinned
	if _, no := s.revise(p, changed); no != nil {
		return nil, no
	}
	return ok(), nil
}

func (s *Server) deletePost(c *call) (any, *refusal) {
	permanent := c.URL.Query().Get("permanent") == "true"
	switch {
	case permanent && s.KeepsDeleted && !c.local():
		return nil, &refusal{http.StatusNotImplemented, "api.post.delete_post.not_enabled.app_error"}
	case permanent && !c.user.admin():
		return nil, forbidden()
	}
	p := s.posts[c.PathValue("post")]
	if p == nil || p.DeleteAt != 0 && !permanent {
		return nil, missing("app.post.get.app_error")
	}
	if !c.user.admin() && (p.UserId != c.user.Id || s.channels[p.ChannelId].members[c.user.Id] == nil) {
		return nil, forbidden()
	}
	gone := p.Clone() // the event carries the words that were deleted
	if permanent {
		s.erase(p.Id)
	} else {
		now := millis()
		for _, q := range s.posts {
			if q.Id == p.Id || q.RootId == p.Id {
				q.DeleteAt, q.UpdateAt = now, now
				q.AddProp(model.PostPropsDeleteBy, c.user.Id)
			}
		}
		if root := s.posts[p.RootId]; root != nil {
			root.UpdateAt = now
		}
	}
	s.changed()
	s.tell(model.WebsocketEventPostDeleted, gone)
	return ok(), nil
}

// erase removes a post for good, with its thread if it is a root, but leaves
// the history of its edits and, of a root, its replies' reactions and files. Of
// files it looks at the post's own ones only if it still has any.
func (s *Server) erase(id string) {
	if len(s.posts[id].FileIds) > 0 {
		for name, f := range s.files {
			if f.PostId == id {
				delete(s.files, name)
			}
		}
	}
	for _, row := range s.rows {
		if p := s.posts[row]; p != nil && (p.Id == id || p.RootId == id) {
			delete(s.posts, row)
		}
	}
	s.rows = slices.DeleteFunc(s.rows, func(row string) bool { return s.posts[row] == nil })
	delete(s.reacted, id)
	delete(s.priority, id)
}
