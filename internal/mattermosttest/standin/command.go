package standin

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"
)

// createCommand registers a slash command, which only an administrator may. Its
// token is what the server proves itself by.
func (s *Server) createCommand(c *call) (any, *refusal) {
	var cmd model.Command
	if no := c.decode(&cmd); no != nil {
		return nil, no
	}
	switch {
	case !c.user.admin():
		return nil, forbidden()
	case s.teams[cmd.TeamId] == nil || cmd.Trigger == "" || cmd.URL == "" || cmd.Method != model.CommandMethodPost:
		return nil, invalid("command")
	}
	for _, old := range s.commands {
		if old.TeamId == cmd.TeamId && old.Trigger == cmd.Trigger {
			return nil, bad("api.command.duplicate_trigger.app_error")
		}
	}
	cmd.CreatorId = c.user.Id
	cmd.PreSave()
	s.commands = append(s.commands, &cmd)
	return created{&cmd}, nil
}

// executeCommand gives a command to the address that it was registered with.
func (s *Server) executeCommand(c *call) (any, *refusal) {
	var args model.CommandArgs
	if no := c.decode(&args); no != nil {
		return nil, no
	}
	trigger, text, _ := strings.Cut(strings.TrimPrefix(args.Command, "/"), " ")
	s.mu.Lock()
	ch := s.channels[args.ChannelId]
	if ch == nil || ch.members[c.user.Id] == nil {
		s.mu.Unlock()
		return nil, forbidden()
	}
	var cmd *model.Command
	for _, x := range s.commands {
		if x.TeamId == ch.TeamId && strings.EqualFold(x.Trigger, trigger) {
			cmd = x
		}
	}
	if cmd == nil {
		s.mu.Unlock()
		return nil, missing("api.command.execute_command.not_found.app_error")
	}
	team := s.teams[ch.TeamId]
	form := url.Values{
		"token": {cmd.Token}, "team_id": {team.Id}, "team_domain": {team.Name}, "channel_id": {ch.Id}, "channel_name": {ch.Name},
		"user_id": {c.user.Id}, "user_name": {c.user.Username}, "command": {"/" + cmd.Trigger}, "text": {text},
	}
	s.mu.Unlock()
	if args.RootId != "" {
		form.Set("root_id", args.RootId)
	}
	_, triggerID, failed := model.GenerateTriggerId(c.user.Id, s.key)
	if failed != nil {
		return nil, &refusal{failed.StatusCode, failed.Id}
	}
	form.Set("trigger_id", triggerID)
	no := &refusal{http.StatusInternalServerError, "api.command.execute_command.failed.app_error"}
	req, err := http.NewRequestWithContext(c.Context(), http.MethodPost, cmd.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, no
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Token "+cmd.Token)
	client := http.Client{Timeout: integrationTimeout, Transport: s.Transport}
	resp, err := client.Do(req)
	if err != nil {
		return nil, no
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxIntegrationAnswer))
	var said model.CommandResponse
	if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(raw, &said) != nil {
		return nil, no
	}
	if said.ResponseType == model.CommandResponseTypeEphemeral && said.Text != "" {
		s.mu.Lock()
		s.ephemeral(c.user.Id, ch.Id, args.RootId, said.Text)
		s.mu.Unlock()
	}
	return &said, nil
}
