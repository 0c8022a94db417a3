package mattermosttest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
)

// Post writes text into the thread of the root post, or as a new root post if
// thread is empty.
func (w *World) Post(as Account, thread, text string) *model.Post {
	w.t.Helper()
	p, _, err := as.Client().CreatePost(context.Background(), &model.Post{ChannelId: w.ChannelID, RootId: thread, Message: text})
	w.must(err, "post as "+as.Username)
	return p
}

// PostOnce writes text into the thread of the root post, which has none like it,
// while the server may be killed: where it does not answer, an officer looks
// whether the text is there, and writes it again if not. It returns the post's
// id, or empty when ctx ends.
func (w *World) PostOnce(ctx context.Context, as Account, thread, text string) string {
	c := as.Client()
	for ctx.Err() == nil {
		p, _, err := c.CreatePost(ctx, &model.Post{ChannelId: w.ChannelID, RootId: thread, Message: text})
		if err == nil {
			return p.Id
		}
		list, _, err := c.GetPostThread(ctx, thread, "", false)
		for err != nil && ctx.Err() == nil {
			time.Sleep(100 * time.Millisecond)
			list, _, err = c.GetPostThread(ctx, thread, "", false)
		}
		for _, p := range posts(list) {
			if p.Message == text {
				return p.Id
			}
		}
	}
	return ""
}

// Direct returns what two accounts wrote to each other directly, the oldest first.
func (w *World) Direct(as, with Account) []*model.Post {
	w.t.Helper()
	c := as.Client()
	ch, _, err := c.CreateDirectChannel(context.Background(), as.ID, with.ID)
	w.must(err, "open the direct channel")
	list, _, err := c.GetPostsForChannel(context.Background(), ch.Id, 0, 200, "", false, false)
	w.must(err, "read the direct channel")
	return posts(list)
}

// PostsSince returns the channel's posts that were created or changed at or
// after an instant in milliseconds, oldest first, as they are now: without those
// that were deleted.
func (w *World) PostsSince(ctx context.Context, as Account, since int64) ([]*model.Post, error) {
	list, _, err := as.Client().GetPostsSince(ctx, w.ChannelID, since, false)
	if err != nil {
		return nil, err
	}
	// What a post was before it was edited is among them, as one that is deleted.
	return slices.DeleteFunc(posts(list), func(p *model.Post) bool { return p.DeleteAt != 0 }), nil
}

// PostFile writes text with one file of the given content attached.
func (w *World) PostFile(as Account, thread, text, name string, content []byte) *model.Post {
	w.t.Helper()
	c := as.Client()
	up, _, err := c.UploadFile(context.Background(), content, w.ChannelID, name)
	w.must(err, "upload as "+as.Username)
	p, _, err := c.CreatePost(context.Background(), &model.Post{
		ChannelId: w.ChannelID, RootId: thread, Message: text, FileIds: []string{up.FileInfos[0].Id},
	})
	w.must(err, "post as "+as.Username)
	return p
}

// Edit changes the words of a post.
func (w *World) Edit(as Account, post, text string) *model.Post {
	w.t.Helper()
	p, _, err := as.Client().PatchPost(context.Background(), post, &model.PostPatch{Message: &text})
	w.must(err, "edit as "+as.Username)
	return p
}

// Delete deletes a post as a client does, which keeps it in the database.
func (w *World) Delete(as Account, post string) {
	w.t.Helper()
	_, err := as.Client().DeletePost(context.Background(), post)
	w.must(err, "delete as "+as.Username)
}

// React puts an emoji on a post.
func (w *World) React(as Account, post, emoji string) {
	w.t.Helper()
	_, _, err := as.Client().SaveReaction(context.Background(), &model.Reaction{UserId: as.ID, PostId: post, EmojiName: emoji})
	w.must(err, "react as "+as.Username)
}

// Unreact takes an emoji off a post.
func (w *World) Unreact(as Account, post, emoji string) {
	w.t.Helper()
	_, err := as.Client().DeleteReaction(context.Background(), &model.Reaction{UserId: as.ID, PostId: post, EmojiName: emoji})
	w.must(err, "take a reaction off as "+as.Username)
}

// Press presses a button of a card as the officer's client does. The action is
// named by its id or by its label. It returns the HTTP status, 200 when the
// bot took it; the test does not end on another. What the bot shows to the
// presser alone arrives on a Screen.
func (w *World) Press(as Account, post, action string) int {
	w.t.Helper()
	return w.PressID(as, post, w.actionID(post, action))
}

// actionID is the id of a card's action that is named by its id or its label.
func (w *World) actionID(post, action string) string {
	w.t.Helper()
	p, _, err := w.Bot.Client().GetPost(context.Background(), post, "")
	w.must(err, "read the card")
	id := action
	for _, att := range p.Attachments() {
		for _, a := range att.Actions {
			if a.Id != action && a.Name == action {
				id = a.Id
			}
		}
	}
	return id
}

// PressID is Press of an action id that need not exist.
func (w *World) PressID(as Account, post, id string) int {
	w.t.Helper()
	resp, err := as.Client().DoPostAction(context.Background(), post, id)
	return w.status(resp, err)
}

// Choose chooses an option of a card's menu as the officer's client does. The
// menu is named by its id or by its label, the option by its value, which need
// not be one of the menu's. It returns the HTTP status.
func (w *World) Choose(as Account, post, menu, value string) int {
	w.t.Helper()
	resp, err := as.Client().DoPostActionWithCookie(context.Background(), post, w.actionID(post, menu), value, "")
	return w.status(resp, err)
}

// SubmitDialog sends a dialog as the officer's client does after it was shown
// (see Screen.Dialog) and filled in. It returns what the bot answered and the
// HTTP status; the test does not end on a refusal.
func (w *World) SubmitDialog(as Account, d *model.OpenDialogRequest, fields map[string]any) (*model.SubmitDialogResponse, int) {
	w.t.Helper()
	answer, resp, err := as.Client().SubmitInteractiveDialog(context.Background(), model.SubmitDialogRequest{
		URL: d.URL, CallbackId: d.Dialog.CallbackId, State: d.Dialog.State,
		ChannelId: w.ChannelID, TeamId: w.TeamID, Submission: fields,
	})
	return answer, w.status(resp, err)
}

// CancelDialog closes a dialog without sending it, which reaches the bot only
// if the dialog asked for that.
func (w *World) CancelDialog(as Account, d *model.OpenDialogRequest) int {
	w.t.Helper()
	_, resp, err := as.Client().SubmitInteractiveDialog(context.Background(), model.SubmitDialogRequest{
		URL: d.URL, CallbackId: d.Dialog.CallbackId, State: d.Dialog.State,
		ChannelId: w.ChannelID, TeamId: w.TeamID, Cancelled: true,
	})
	return w.status(resp, err)
}

// Command has the administrator register a slash command of a trigger, and returns
// its token.
func (w *World) Command(trigger, address string) string {
	w.t.Helper()
	cmd, _, err := w.Admin.Client().CreateCommand(context.Background(), &model.Command{
		TeamId: w.TeamID, Trigger: trigger, URL: address, Method: model.CommandMethodPost,
	})
	w.must(err, "register the command")
	return cmd.Token
}

// Slash gives a slash command in the officers' channel, or in a thread of it, as the
// officer's client does. It returns what the bot answered and the HTTP status.
func (w *World) Slash(as Account, thread, command string) (*model.CommandResponse, int) {
	w.t.Helper()
	r, err := as.Client().DoAPIPostJSON(context.Background(), "/commands/execute", &model.CommandArgs{
		ChannelId: w.ChannelID, TeamId: w.TeamID, RootId: thread, Command: command,
	})
	status := w.status(model.BuildResponse(r), err)
	if err != nil {
		return nil, status
	}
	defer r.Body.Close()
	said, err := model.CommandResponseFromJSON(r.Body)
	w.must(err, "read the answer to a command")
	return said, status
}

// WriteTo writes text to somebody directly.
func (w *World) WriteTo(as, to Account, text string) *model.Post {
	w.t.Helper()
	c := as.Client()
	ch, _, err := c.CreateDirectChannel(context.Background(), as.ID, to.ID)
	w.must(err, "open the direct channel")
	p, _, err := c.CreatePost(context.Background(), &model.Post{ChannelId: ch.Id, Message: text})
	w.must(err, "write to "+to.Username)
	return p
}

// AddMember puts someone into the officers' channel.
func (w *World) AddMember(who Account) {
	w.t.Helper()
	_, _, err := w.Admin.Client().AddChannelMember(context.Background(), w.ChannelID, who.ID)
	w.must(err, "add "+who.Username)
}

// RemoveMember takes someone out of the officers' channel.
func (w *World) RemoveMember(who Account) {
	w.t.Helper()
	_, err := w.Admin.Client().RemoveUserFromChannel(context.Background(), w.ChannelID, who.ID)
	w.must(err, "remove "+who.Username)
}

// Deactivate deactivates an account; Reactivate undoes it, though the account's
// token stays dead.
func (w *World) Deactivate(who Account) {
	w.t.Helper()
	_, err := w.Admin.Client().UpdateUserActive(context.Background(), who.ID, false)
	w.must(err, "deactivate "+who.Username)
}

// Reactivate activates a deactivated account.
func (w *World) Reactivate(who Account) {
	w.t.Helper()
	_, err := w.Admin.Client().UpdateUserActive(context.Background(), who.ID, true)
	w.must(err, "reactivate "+who.Username)
}

// RevokeToken makes the account's token worth nothing.
func (w *World) RevokeToken(who Account) {
	w.t.Helper()
	ctx, c := context.Background(), w.Admin.Client()
	if who.ID == w.Bot.ID {
		tokens, _, err := c.GetUserAccessTokensForUser(ctx, who.ID, 0, 100)
		w.must(err, "list tokens of "+who.Username)
		for _, tok := range tokens {
			_, err := c.RevokeUserAccessToken(ctx, tok.Id)
			w.must(err, "revoke a token of "+who.Username)
		}
		return
	}
	_, err := c.RevokeAllSessions(ctx, who.ID)
	w.must(err, "revoke the sessions of "+who.Username)
}

// Thread returns a thread's posts as the bot reads them, the root first, in
// the order in which they were created. Replies of the same millisecond, which
// only come of several writers, are in the order of their ids.
func (w *World) Thread(root string) []*model.Post {
	w.t.Helper()
	var all []*model.Post
	seen := map[string]bool{}
	opts := model.GetPostsOptions{PerPage: 200, Direction: "down"}
	for {
		list, _, err := w.Bot.Client().GetPostThreadWithOpts(context.Background(), root, "", opts)
		w.must(err, "read a thread")
		page := posts(list)
		for _, p := range page {
			if !seen[p.Id] {
				seen[p.Id] = true
				all = append(all, p)
			}
		}
		if list.HasNext == nil || !*list.HasNext || len(page) == 0 {
			break
		}
		last := page[len(page)-1]
		opts.FromPost, opts.FromCreateAt = last.Id, last.CreateAt
	}
	slices.SortStableFunc(all, byCreation)
	return all
}

// Roots returns the channel's root posts that are not the server's own, oldest
// first, at most 200.
func (w *World) Roots() []*model.Post {
	w.t.Helper()
	list, _, err := w.Bot.Client().GetPostsForChannel(context.Background(), w.ChannelID, 0, 200, "", false, false)
	w.must(err, "read the channel")
	all := slices.DeleteFunc(posts(list), func(p *model.Post) bool {
		return p.RootId != "" || p.IsSystemMessage()
	})
	slices.SortStableFunc(all, byCreation)
	return all
}

// Reactions returns who put what on a post, as "siti: eyes", sorted.
func (w *World) Reactions(post string) []string {
	w.t.Helper()
	all, _, err := w.Bot.Client().GetReactions(context.Background(), post)
	w.must(err, "read the reactions")
	out := []string{}
	for _, r := range all {
		out = append(out, w.Name(r.UserId)+": "+r.EmojiName)
	}
	slices.Sort(out)
	return out
}

// Name is the username of an account of the world, or the id.
func (w *World) Name(id string) string {
	for _, a := range w.Everyone() {
		if a.ID == id {
			return a.Username
		}
	}
	return id
}

// Texts returns the words of posts, each with who wrote them, as "siti: …".
func (w *World) Texts(all []*model.Post) []string {
	out := []string{}
	for _, p := range all {
		out = append(out, w.Name(p.UserId)+": "+p.Message)
	}
	return out
}

func posts(list *model.PostList) []*model.Post {
	if list == nil {
		return nil
	}
	out := make([]*model.Post, 0, len(list.Posts))
	for _, p := range list.Posts {
		out = append(out, p)
	}
	slices.SortFunc(out, byCreation)
	return out
}

// byCreation orders posts by time, a thread's root before its replies, and by
// id where that says nothing.
func byCreation(a, b *model.Post) int {
	switch {
	case a.Id == b.RootId:
		return -1
	case b.Id == a.RootId:
		return 1
	}
	return cmp.Or(cmp.Compare(a.CreateAt, b.CreateAt), cmp.Compare(a.Id, b.Id))
}

// must ends the test on an error of the server's.
func (w *World) must(err error, what string) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%s: %v", what, err)
	}
}

// status is the HTTP status of an answer; no answer at all ends the test.
func (w *World) status(resp *model.Response, err error) int {
	w.t.Helper()
	if resp == nil || resp.StatusCode == 0 {
		if err == nil {
			err = errors.New("no answer")
		}
		w.t.Fatal(fmt.Errorf("the server did not answer: %w", err))
	}
	return resp.StatusCode
}

// NewOfficer makes one more officer: an account in the team and the channel that is
// logged in. The stand-in makes no accounts.
func (w *World) NewOfficer(name string) Account {
	w.t.Helper()
	ctx := context.Background()
	a, err := newUser(ctx, w.Admin.Client(), w.URL, name)
	w.must(err, "make "+name)
	_, _, err = w.Admin.Client().AddTeamMember(ctx, w.TeamID, a.ID)
	w.must(err, "add "+name+" to the team")
	w.AddMember(a)
	return a
}
