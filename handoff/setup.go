package handoff

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/internal/secret"
)

// A Setup is what SetUp is to bring a Mattermost to. Team, Channel, Bot and
// CallbackURL must be there, and URL with Login and Password or with Session, or
// Socket.
type Setup struct {
	// URL is Mattermost's address. Whoever logs in is a system administrator: with
	// Login and Password, in a session that ends with SetUp, or with a Session that
	// there is, which stays.
	URL, Login string
	Password   secret.Secret
	Session    secret.Secret
	// Socket is the server's own socket on this machine, where no login is needed.
	Socket string

	// Team and Channel are the names in the channel's address, Bot the bot's user
	// name.
	Team, Channel, Bot string
	// Officers are the user names of those who belong into the channel. Accounts are
	// made for nobody.
	Officers []string
	// CallbackURL is where Mattermost reaches the hotline.
	CallbackURL string
	// LeastRoles takes from the roles of the server what the hotline does not need:
	// from everybody's on this server.
	LeastRoles bool
	// DryRun only looks.
	DryRun bool
	// Token is the bot's present one, empty without one. KeepToken is given another
	// if it does not work, and KeepCommandToken that of the slash command if it was
	// made or the hotline has none (HasCommandToken): they are shown once.
	Token            secret.Secret
	HasCommandToken  bool
	KeepToken        func(secret.Secret) error
	KeepCommandToken func(secret.Secret) error
	// Told is called for each thing that was looked at.
	Told func(Change)
	// Transport carries the requests; nil is one of our own.
	Transport http.RoundTripper
}

// A Change is one thing that SetUp looked at.
type Change struct {
	// What is a thing, such as "the channel hotline".
	What string `json:"what"`
	// Did is what was done, such as "made", "" if it was as it should be; in a dry
	// run it would be done.
	Did string `json:"did,omitempty"`
	// Do is what somebody has to do whom no program can replace.
	Do string `json:"do,omitempty"`
}

// SetUp brings a Mattermost to what a Setup says: what is there stays, and what is as
// it should be is not touched, so that it may be called again at any time. Its errors
// name no password and no token.
func SetUp(ctx context.Context, s Setup) (err error) {
	b := &builder{Setup: s}
	if s.Socket != "" {
		b.c = model.NewAPIv4SocketClient(s.Socket)
		b.local = true
	} else {
		b.c = model.NewAPIv4Client(strings.TrimRight(s.URL, "/"))
		transport := s.Transport
		if transport == nil {
			transport = newTransport()
		}
		b.c.HTTPClient = &http.Client{
			Transport: bounded{transport}, Timeout: requestTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		end, err := b.login(ctx)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, end()) }()
	}
	for _, step := range []func(context.Context) error{
		b.settings, b.theTeam, b.theChannel, b.theBot, b.theToken, b.theOfficers, b.leave, b.theCommand, b.roles,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// A builder is a SetUp under way.
type builder struct {
	Setup
	c       *model.Client4
	local   bool
	me      *model.User // nil in local mode
	team    *model.Team // nil while a dry run would make it
	channel *model.Channel
	made    bool // the channel, by us
	bot     *model.User
}

func (b *builder) told(what, did string) { b.Told(Change{What: what, Did: did}) }
func (b *builder) ask(what, do string)   { b.Told(Change{What: what, Do: do}) }

// login begins a session and returns what ends it.
func (b *builder) login(ctx context.Context) (end func() error, err error) {
	end = func() error { return nil }
	if !b.Session.Empty() {
		b.c.SetToken(b.Session.Reveal())
		me, resp, err := b.c.GetMe(ctx, "")
		if err != nil {
			return nil, refusedSetup("look who the session is of", resp)
		}
		b.me = me
	} else {
		me, resp, err := b.c.Login(ctx, b.Login, b.Password.Reveal())
		if err != nil {
			return nil, refusedSetup("log in", resp)
		}
		b.me = me
		end = func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
			defer cancel()
			if resp, err := b.c.Logout(ctx); err != nil {
				return refusedSetup("end the session (end it yourself: Profile, Security, Active sessions)", resp)
			}
			return nil
		}
	}
	if !strings.Contains(b.me.Roles, model.SystemAdminRoleId) {
		return nil, errors.Join(errors.New("handoff: this account is no system administrator: log in as one, once"), end())
	}
	return end, nil
}

// refusedSetup is a step that Mattermost refused, without any of its words.
func refusedSetup(what string, resp *model.Response) error {
	status := statusOf(resp)
	switch status {
	case 0:
		return fmt.Errorf("handoff: to %s: Mattermost does not answer: check the address", what)
	case http.StatusUnauthorized:
		return fmt.Errorf("handoff: to %s: Mattermost does not accept the name, the password or the session (status 401)", what)
	}
	return fmt.Errorf("handoff: to %s: Mattermost refuses (status %d)", what, status)
}

func missingHere(resp *model.Response) bool {
	return resp != nil && (resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusBadRequest)
}

func (b *builder) theTeam(ctx context.Context) error {
	what := "the team " + b.Team
	team, resp, err := b.c.GetTeamByName(ctx, b.Team, "")
	switch {
	case err == nil:
		b.team = team
		b.told(what, "")
		if team.AllowOpenInvite || team.Type == model.TeamOpen {
			b.ask(what, "Anybody on the server can join it; close it if it is the hotline's alone.")
		}
		return nil
	case !missingHere(resp):
		return refusedSetup("look for the team", resp)
	}
	b.told(what, "made")
	if b.DryRun {
		return nil
	}
	if b.team, resp, err = b.c.CreateTeam(ctx, &model.Team{Name: b.Team, DisplayName: b.Team, Type: model.TeamInvite}); err != nil {
		return refusedSetup("make the team", resp)
	}
	return nil
}

func (b *builder) theChannel(ctx context.Context) error {
	what := "the channel " + b.Channel
	if b.team != nil {
		channel, resp, err := b.c.GetChannelByName(ctx, b.Channel, b.team.Id, "")
		switch {
		case err == nil && channel.Type != model.ChannelTypePrivate:
			return fmt.Errorf("handoff: %s is not private: everybody in the team could read the cases; make it private or name another", what)
		case err == nil && channel.DeleteAt != 0:
			return fmt.Errorf("handoff: %s is archived: restore it or name another", what)
		case err == nil:
			b.channel = channel
			b.told(what, "")
			return nil
		case !missingHere(resp):
			return refusedSetup("look for the channel", resp)
		}
	}
	b.told(what, "made, private")
	if b.DryRun {
		return nil
	}
	var resp *model.Response
	var err error
	b.channel, resp, err = b.c.CreateChannel(ctx, &model.Channel{TeamId: b.team.Id, Name: b.Channel, DisplayName: b.Channel, Type: model.ChannelTypePrivate})
	if err != nil {
		return refusedSetup("make the channel", resp)
	}
	b.made = true
	return nil
}
