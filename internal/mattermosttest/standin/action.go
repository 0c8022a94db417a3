package standin

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
)

const (
	// integrationTimeout is how long the bot's endpoint may take to answer, and
	// how long a trigger id is good for.
	integrationTimeout = 30 * time.Second
	// maxIntegrationAnswer is the longest answer that is read, in bytes.
	maxIntegrationAnswer = 1 << 20
)

// actionID is all that an action's address may hold.
var actionID = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// retained are the props of a card that the bot's endpoint cannot change.
func retained() []string {
	return []string{model.PostPropsFromWebhook, model.PostPropsOverrideUsername, model.PostPropsOverrideIconURL}
}

// press presses a button: the bot's endpoint is asked, and what it answers is
// done.
func (s *Server) press(c *call) (any, *refusal) {
	postID, action := c.PathValue("post"), c.PathValue("action")
	if !actionID.MatchString(action) {
		return nil, missing("api.context.404.app_error")
	}
	var want struct {
		SelectedOption string `json:"selected_option"`
	}
	// A press of a button has no body.
	_ = json.NewDecoder(c.Body).Decode(&want)

	s.mu.Lock()
	p := s.posts[postID]
	if p == nil || !s.mayRead(c.user, p.ChannelId) {
		s.mu.Unlock()
		return nil, forbidden()
	}
	if p.DeleteAt != 0 {
		s.mu.Unlock()
		return nil, missing("app.post.get.app_error")
	}
	a := p.GetAction(action)
	if a == nil || a.Integration == nil {
		s.mu.Unlock()
		return nil, missing("api.post.do_action.action_id.app_error")
	}
	ch := s.channels[p.ChannelId]
	req := &model.PostActionIntegrationRequest{
		UserId: c.user.Id, UserName: c.user.Username, PostId: p.Id,
		ChannelId: ch.Id, ChannelName: ch.Name, TeamId: ch.TeamId, TeamName: s.teams[ch.TeamId].Name,
		Type: a.Type, Context: a.Integration.Context,
	}
	if a.Type == model.PostActionTypeSelect && want.SelectedOption != "" {
		if req.Context == nil {
			req.Context = map[string]any{}
		}
		req.DataSource = a.DataSource
		req.Context["selected_option"] = want.SelectedOption
	}
	address := a.Integration.URL
	root := p.Id
	if p.RootId != "" {
		root = p.RootId
	}
	before := p
	s.mu.Unlock()

	trigger, _, failed := req.GenerateTriggerId(s.key)
	if failed != nil {
		return nil, &refusal{failed.StatusCode, failed.Id}
	}
	raw, no := s.ask(c.Context(), address, req)
	if no != nil {
		return nil, no
	}
	var said model.PostActionIntegrationResponse
	if len(raw) > 0 && json.Unmarshal(raw, &said) != nil {
		return nil, integrationFailed()
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	if up := said.Update; up != nil {
		now := s.posts[postID]
		if now == nil || now.DeleteAt != 0 {
			return nil, missing("app.post.get.app_error")
		}
		changed := now.Clone()
		changed.Message = up.Message
		changed.FileIds = up.FileIds
		changed.SetProps(before.GetProps())
		if given := up.GetProps(); given != nil {
			changed.SetProps(given)
			for _, key := range retained() {
				if v, had := before.GetProps()[key]; had {
					changed.AddProp(key, v)
				} else {
					changed.DelProp(key)
				}
			}
		}
		if _, no := s.revise(now, changed); no != nil {
			return nil, no
		}
	}
	if said.EphemeralText != "" {
		s.ephemeral(c.user.Id, req.ChannelId, root, said.EphemeralText)
	}
	return &model.PostActionAPIResponse{Status: "OK", TriggerId: trigger}, nil
}

// ask sends a request to the bot's endpoint. Whatever goes wrong, the officer
// sees the same.
func (s *Server) ask(ctx context.Context, address string, body any) ([]byte, *refusal) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, integrationFailed()
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, address, bytes.NewReader(raw))
	if err != nil {
		return nil, integrationFailed()
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "Mattermost-Bot/1.1")
	// The real server gives up after this long, and says so to the officer.
	client := http.Client{Timeout: integrationTimeout, Transport: s.Transport}
	resp, err := client.Do(req)
	if err != nil {
		return nil, integrationFailed()
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, integrationFailed()
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxIntegrationAnswer))
	if err != nil {
		return nil, integrationFailed()
	}
	return answer, nil
}

func integrationFailed() *refusal { return bad("api.post.do_action.action_integration.app_error") }

// openDialog shows a dialog to whom the trigger id names. It asks for no login:
// the signature is enough.
func (s *Server) openDialog(w http.ResponseWriter, r *http.Request) {
	var req model.OpenDialogRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&req); err != nil || req.URL == "" {
		answer(w, nil, invalid("dialog"))
		return
	}
	trigger, userID, failed := req.DecodeAndVerifyTriggerId(s.key, integrationTimeout)
	if failed != nil {
		answer(w, nil, &refusal{failed.StatusCode, failed.Id})
		return
	}
	req.TriggerId = trigger
	raw, err := json.Marshal(req)
	if err != nil {
		answer(w, nil, invalid("dialog"))
		return
	}
	ev := model.NewWebSocketEvent(model.WebsocketEventOpenDialog, "", "", userID, nil, "")
	ev.Add("dialog", string(raw))
	s.mu.Lock()
	s.publish(ev)
	s.mu.Unlock()
	answer(w, ok(), nil)
}

// submitDialog passes what somebody filled in to the address that the client
// names. Only the user id is the server's; all else is the client's word.
func (s *Server) submitDialog(c *call) (any, *refusal) {
	var req model.SubmitDialogRequest
	if no := c.decode(&req); no != nil {
		return nil, no
	}
	if req.URL == "" {
		return nil, invalid("url")
	}
	req.UserId = c.user.Id
	s.mu.Lock()
	known, may := s.channels[req.ChannelId] != nil, s.mayRead(c.user, req.ChannelId)
	team := s.teams[req.TeamId] != nil
	s.mu.Unlock()
	switch {
	case !known:
		return nil, missing("app.channel.get.existing.app_error")
	case !may, !team:
		return nil, forbidden()
	}
	address := req.URL
	req.URL = ""
	if req.Type != "refresh" {
		req.Type = "dialog_submission"
	}
	raw, no := s.ask(c.Context(), address, req)
	if no != nil {
		return nil, no
	}
	var said model.SubmitDialogResponse
	if len(raw) > 0 && json.Unmarshal(raw, &said) != nil {
		return nil, &refusal{http.StatusInternalServerError, "app.submit_interactive_dialog.decode_json_error"}
	}
	return &said, nil
}
