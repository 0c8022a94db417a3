package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"suar/internal/mattermosttest/standin"
)

// errOfficer says that there is no officer of that name.
var errOfficer = errors.New("demo: no such officer")

// An officer acts in Mattermost as an officer's client does: over its REST API,
// with a token of his own.
type officer struct {
	h     *Hotline
	id    string
	token string
	Name  string
}

func (h *Hotline) officer(name string) (officer, error) {
	i := slices.IndexFunc(h.officers, func(o officer) bool { return o.Name == name })
	if i < 0 {
		return officer{}, errOfficer
	}
	return h.officers[i], nil
}

// Post writes into the thread of a card.
func (o officer) Post(ctx context.Context, root, text string) error {
	return o.call(ctx, http.MethodPost, "/posts", map[string]any{"channel_id": o.h.channel, "root_id": root, "message": text})
}

// Edit changes the words of his own post.
func (o officer) Edit(ctx context.Context, post, text string) error {
	return o.call(ctx, http.MethodPut, "/posts/"+url.PathEscape(post)+"/patch", map[string]any{"message": text})
}

// Delete deletes his own post.
func (o officer) Delete(ctx context.Context, post string) error {
	return o.call(ctx, http.MethodDelete, "/posts/"+url.PathEscape(post), nil)
}

// Press presses a card's button.
func (o officer) Press(ctx context.Context, post, action string) error {
	return o.call(ctx, http.MethodPost, "/posts/"+url.PathEscape(post)+"/actions/"+url.PathEscape(action), struct{}{})
}

// Answer sends the dialog that a press opened.
func (o officer) Answer(ctx context.Context, d *dialog) error {
	return o.call(ctx, http.MethodPost, "/actions/dialogs/submit", map[string]any{
		"url": d.url, "callback_id": d.callback, "state": d.state,
		"channel_id": o.h.channel, "team_id": o.h.team, "submission": map[string]any{},
	})
}

// call makes a request of an officer's client. An answer that refuses is an
// error with its status, and so is a dialog's error text.
func (o officer) call(ctx context.Context, method, path string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, o.h.mattermost.URL()+"/api/v4"+path, bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+o.token)
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("demo: the stand-in for Mattermost: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("demo: the stand-in for Mattermost: %w", err)
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("demo: the stand-in for Mattermost answers %d", resp.StatusCode)
	}
	var said struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(answer, &said) == nil && said.Error != "" {
		return errors.New(said.Error)
	}
	return nil
}

// A dialog is a question that a press opened for one officer.
type dialog struct {
	Title  string `json:"title"`
	Text   string `json:"text"`
	Submit string `json:"submit"`

	url, callback, state string
}

func newDialog(n standin.Notice) *dialog {
	d := n.Dialog
	return &dialog{
		Title: d.Dialog.Title, Text: d.Dialog.IntroductionText, Submit: d.Dialog.SubmitLabel,
		url: d.URL, callback: d.Dialog.CallbackId, state: d.Dialog.State,
	}
}
