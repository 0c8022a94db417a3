package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/mattermost/mattermost/server/public/model"
)

// A Seat is somebody's place before the screen: what their client asks of the
// server, without a network between.
type Seat struct {
	s     *Server
	token string
}

// Seat returns the seat of the account with the token.
func (s *Server) Seat(token string) *Seat { return &Seat{s, token} }

// A Refused is an answer of the server other than success.
type Refused struct {
	// Status is the HTTP status, ID the server's name for the error.
	Status int    `json:"status_code"`
	ID     string `json:"id"`
}

func (r *Refused) Error() string {
	return fmt.Sprintf("standin: refused: %s (status %d)", r.ID, r.Status)
}

// A Dialog is a form that opens on somebody's screen.
type Dialog struct {
	Title        string    `json:"title"`
	Introduction string    `json:"introduction"`
	SubmitLabel  string    `json:"submit_label"`
	Elements     []Element `json:"elements"`

	// What the client sends back unchanged.
	URL            string `json:"url"`
	CallbackID     string `json:"callback_id"`
	State          string `json:"state"`
	NotifyOnCancel bool   `json:"notify_on_cancel"`
}

// An Element is a field of a form.
type Element struct {
	Name     string   `json:"name"`
	Label    string   `json:"label"`
	Type     string   `json:"type"` // text, textarea, select, bool, radio
	Help     string   `json:"help"`
	Default  string   `json:"default"`
	Optional bool     `json:"optional"`
	Options  []Option `json:"options"`
}

// An Option is a choice of a field.
type Option struct {
	Text  string `json:"text"`
	Value string `json:"value"`
}

// Say posts text into a thread, or as a new root if thread is empty, and
// returns the post's id.
func (t *Seat) Say(ctx context.Context, channel, thread, text string) (string, error) {
	var p struct {
		ID string `json:"id"`
	}
	err := t.ask(ctx, http.MethodPost, "/posts", map[string]string{"channel_id": channel, "root_id": thread, "message": text}, &p)
	return p.ID, err
}

// Edit changes the words of a post.
func (t *Seat) Edit(ctx context.Context, post, text string) error {
	return t.ask(ctx, http.MethodPut, "/posts/"+post+"/patch", map[string]string{"message": text}, nil)
}

// Delete deletes a post.
func (t *Seat) Delete(ctx context.Context, post string) error {
	return t.ask(ctx, http.MethodDelete, "/posts/"+post, nil, nil)
}

// Press presses a button of a card. What the bot shows for it comes as a
// Notice.
func (t *Seat) Press(ctx context.Context, post, action string) error {
	return t.ask(ctx, http.MethodPost, "/posts/"+post+"/actions/"+action, nil, nil)
}

// Choose chooses an option of a card's menu.
func (t *Seat) Choose(ctx context.Context, post, menu, option string) error {
	return t.ask(ctx, http.MethodPost, "/posts/"+post+"/actions/"+menu, map[string]string{"selected_option": option}, nil)
}

// Submit sends a filled-in dialog from a channel. The errors it returns first
// are by field, and the dialog stays open for them; the empty name is the whole
// form's.
func (t *Seat) Submit(ctx context.Context, channel string, d *Dialog, fields map[string]any) (map[string]string, error) {
	faults, _, err := t.Fill(ctx, channel, d, fields)
	return faults, err
}

// Fill is Submit that returns the dialog that takes the place of this one as well,
// nil if there is none.
func (t *Seat) Fill(ctx context.Context, channel string, d *Dialog, fields map[string]any) (map[string]string, *Dialog, error) {
	said, err := t.submit(ctx, channel, d, fields, false)
	if err != nil || said.Form == nil {
		return said.Errors, nil, err
	}
	return said.Errors, dialog(&model.OpenDialogRequest{URL: d.URL, Dialog: *said.Form}), nil
}

// Cancel closes a dialog. The bot hears of it only if it asked to.
func (t *Seat) Cancel(ctx context.Context, channel string, d *Dialog) error {
	if !d.NotifyOnCancel {
		return nil
	}
	_, err := t.submit(ctx, channel, d, nil, true)
	return err
}

func (t *Seat) submit(ctx context.Context, channel string, d *Dialog, fields map[string]any, cancelled bool) (said model.SubmitDialogResponse, err error) {
	t.s.mu.Lock()
	team := ""
	if ch := t.s.channels[channel]; ch != nil {
		team = ch.TeamId
	}
	t.s.mu.Unlock()
	err = t.ask(ctx, http.MethodPost, "/actions/dialogs/submit", model.SubmitDialogRequest{
		URL: d.URL, CallbackId: d.CallbackID, State: d.State, ChannelId: channel, TeamId: team,
		Submission: fields, Cancelled: cancelled,
	}, &said)
	if err != nil {
		return said, err
	}
	if said.Error != "" {
		if said.Errors == nil {
			said.Errors = map[string]string{}
		}
		said.Errors[""] = said.Error
	}
	return said, nil
}

// ask puts a request to the server, through all that a request from outside
// goes through, faults included.
func (t *Seat) ask(ctx context.Context, method, path string, body, into any) (err error) {
	var raw bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&raw).Encode(body); err != nil {
			return fmt.Errorf("standin: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "/api/v4"+path, &raw)
	if err != nil {
		return fmt.Errorf("standin: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+t.token)
	w := &sheet{header: http.Header{}, status: http.StatusOK}
	defer func() {
		switch r := recover(); r {
		case nil:
		case http.ErrAbortHandler:
			err = errors.New("standin: the connection was cut")
		default:
			panic(r)
		}
	}()
	t.s.ServeHTTP(w, req)
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("standin: %w", err)
	}
	if w.status >= http.StatusMultipleChoices {
		no := &Refused{Status: w.status}
		// A fault need not answer with JSON; the status says enough then.
		_ = json.Unmarshal(w.body.Bytes(), no)
		return no
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(w.body.Bytes(), into); err != nil {
		return fmt.Errorf("standin: read the answer: %w", err)
	}
	return nil
}

// A sheet is an answer as it is read.
type sheet struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (p *sheet) Header() http.Header         { return p.header }
func (p *sheet) Write(b []byte) (int, error) { return p.body.Write(b) }
func (p *sheet) WriteHeader(status int)      { p.status = status }

// dialog is what the client needs of an open_dialog event.
func dialog(r *model.OpenDialogRequest) *Dialog {
	d := &Dialog{
		Title: r.Dialog.Title, Introduction: r.Dialog.IntroductionText, SubmitLabel: r.Dialog.SubmitLabel,
		URL: r.URL, CallbackID: r.Dialog.CallbackId, State: r.Dialog.State, NotifyOnCancel: r.Dialog.NotifyOnCancel,
		Elements: []Element{},
	}
	for _, e := range r.Dialog.Elements {
		x := Element{Name: e.Name, Label: e.DisplayName, Type: e.Type, Help: e.HelpText, Default: e.Default, Optional: e.Optional, Options: []Option{}}
		for _, o := range e.Options {
			x.Options = append(x.Options, Option{Text: o.Text, Value: o.Value})
		}
		d.Elements = append(d.Elements, x)
	}
	return d
}
