package handoff

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/internal/mattermosttest"
	"suar/internal/secret"
)

// administrators is the administrator's password in the tests' servers.
const administrators = "invented-Password-1"

// A settingUp is what SetUp did and what it handed over.
type settingUp struct {
	changes        []Change
	token, command string
}

func (s settingUp) did() []string {
	var out []string
	for _, c := range s.changes {
		if c.Did != "" {
			out = append(out, c.What+": "+c.Did)
		}
	}
	return out
}

// setUp brings a server to a new team with a new bot.
func setUp(t *testing.T, w *mattermosttest.World, before settingUp, change func(*Setup)) settingUp {
	t.Helper()
	after := settingUp{token: before.token, command: before.command}
	s := Setup{
		URL: w.URL, Login: "admin", Password: secret.New(administrators), Team: "consulate", Channel: "night", Bot: "lampu",
		Officers: []string{"siti", "budi", "nobody-yet"}, CallbackURL: "http://127.0.0.1:9", LeastRoles: true,
		Token: secret.New(before.token), HasCommandToken: before.command != "",
		KeepToken:        func(s secret.Secret) error { after.token = s.Reveal(); return nil },
		KeepCommandToken: func(s secret.Secret) error { after.command = s.Reveal(); return nil },
		Told:             func(c Change) { after.changes = append(after.changes, c) },
	}
	if change != nil {
		change(&s)
	}
	if err := SetUp(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return after
}

// TestSetUp makes all of it on a real server, and then finds nothing to do.
func TestSetUp(t *testing.T) {
	w := mattermosttest.Real(t,
		mattermosttest.Setting{Name: "EmailSettings.SendPushNotifications", Value: "true"},
		mattermosttest.Setting{Name: "ServiceSettings.EnableLinkPreviews", Value: "true"}) // Pinned by the environment.
	admin := w.Admin.Client()
	role, _, err := admin.GetRoleByName(t.Context(), "team_user")
	if err != nil {
		t.Fatal(err)
	}
	more := append(slices.Clone(role.Permissions), "create_private_channel")
	if _, _, err := admin.PatchRole(t.Context(), role.Id, &model.RolePatch{Permissions: &more}); err != nil {
		t.Fatal(err)
	}
	sessions := func() int {
		all, _, err := admin.GetSessions(t.Context(), w.Admin.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	opened := sessions()

	dry := setUp(t, w, settingUp{}, func(s *Setup) { s.DryRun = true })
	if _, resp, err := admin.GetTeamByName(t.Context(), "consulate", ""); err == nil || resp.StatusCode != http.StatusNotFound || dry.token != "" {
		t.Errorf("a dry run made something: %v", err)
	}
	first := setUp(t, w, settingUp{}, nil)
	want := []string{
		"the setting EmailSettings.PushNotificationContents: set to generic_no_channel",
		"the team consulate: made", "the channel night: made, private", "the bot lampu: made", "the bot's token: made",
		"the bot in the channel: added", "the officer siti in the channel: added", "the officer budi in the channel: added",
		"the administrator, who is no officer, in the channel: taken out",
		"the slash command /suar: made", "the slash command's token: kept",
		"the role team_user: taken from everybody on this server: create_private_channel",
	}
	if diff := cmp.Diff(want, first.did()); diff != "" {
		t.Errorf("the first time (-want +got):\n%s", diff)
	}
	asks := ""
	for _, c := range first.changes {
		asks += c.What + ": " + c.Do + "\n"
	}
	for _, part := range []string{"the officer nobody-yet: There is no such account", `the setting ServiceSettings.EnableLinkPreviews: It stays "true": it stands in the server's environment`} {
		if !strings.Contains(asks, part) {
			t.Errorf("it does not say %q:\n%s", part, asks)
		}
	}
	second := setUp(t, w, first, nil)
	if got := second.did(); len(got) != 0 || second.token != first.token {
		t.Errorf("the second time it did %q", got)
	}
	// Without a login it finds the same.
	local := setUp(t, w, first, func(s *Setup) { s.Login, s.Socket = "", w.Socket() })
	if got := local.did(); len(got) != 0 {
		t.Errorf("through the local socket it did %q", got)
	}
	if got := sessions(); got != opened {
		t.Errorf("%d sessions of the administrator, %d before", got, opened)
	}

	// What was made is what a desk wants. Only the pinned setting is left.
	r := newRig(t, w, func(c *Config) {
		c.Token, c.Channel = secret.New(second.token), "consulate/night"
	})
	r.wrap(func(next http.Handler) http.Handler { return next })
	var faults []string
	for _, f := range r.Check(t.Context()) {
		if !f.Unseen {
			faults = append(faults, f.What)
		}
	}
	if diff := cmp.Diff([]string{"Mattermost fetches previews of links."}, faults); diff != "" {
		t.Errorf("the desk finds (-want +got):\n%s", diff)
	}
	if fault := r.CheckCallback(t.Context()); fault != nil {
		t.Errorf("the callback: %v", fault)
	}
}

// TestSetUpByTheSocket makes all of it without a login.
func TestSetUpByTheSocket(t *testing.T) {
	w := mattermosttest.Real(t)
	socket := func(s *Setup) { s.Login, s.Socket = "", w.Socket() }
	first := setUp(t, w, settingUp{}, socket)
	if first.token == "" || first.command == "" {
		t.Errorf("no tokens were made: %q", first.did())
	}
	if got := setUp(t, w, first, socket).did(); len(got) != 0 {
		t.Errorf("the second time it did %q", got)
	}
	if got := setUp(t, w, first, nil).did(); len(got) != 0 {
		t.Errorf("with a login it did %q", got)
	}
	// A token that is dead is given a new one.
	dead := first
	dead.token = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
	if got := setUp(t, w, dead, nil); got.token == dead.token || !cmp.Equal(got.did(), []string{"the bot's token: made"}) {
		t.Errorf("with a dead token it did %q", got.did())
	}
}

// TestSetUpOfACommandThatIsThere: whoever registered /suar before knows its token, which
// must not become ours.
func TestSetUpOfACommandThatIsThere(t *testing.T) {
	w := mattermosttest.Real(t)
	first := setUp(t, w, settingUp{}, nil)
	admin := w.Admin.Client()
	team, _, err := admin.GetTeamByName(t.Context(), "consulate", "")
	if err != nil {
		t.Fatal(err)
	}
	// The only command of the team.
	there := func() *model.Command {
		all, _, err := admin.ListCommands(t.Context(), team.Id, true)
		if err != nil || len(all) != 1 {
			t.Fatalf("%d commands, %v", len(all), err)
		}
		return all[0]
	}
	ours := there()
	if _, err := admin.DeleteCommand(t.Context(), ours.Id); err != nil {
		t.Fatal(err)
	}
	foreign, _, err := admin.CreateCommand(t.Context(), &model.Command{
		TeamId: team.Id, CreatorId: w.Officers[0].ID, Trigger: commandWord, Method: model.CommandMethodPost, URL: ours.URL,
	})
	if err != nil || foreign.CreatorId != w.Officers[0].ID {
		t.Fatalf("%+v, %v", foreign, err)
	}
	if dry := setUp(t, w, first, func(s *Setup) { s.DryRun = true }); there().Id != foreign.Id || len(dry.did()) == 0 {
		t.Errorf("a dry run did %q", dry.did())
	}
	second := setUp(t, w, first, nil)
	want := []string{"the slash command /suar: made anew: it was somebody else's", "the slash command's token: kept"}
	if diff := cmp.Diff(want, second.did()); diff != "" {
		t.Errorf("it did (-want +got):\n%s", diff)
	}
	now := there()
	if now.Id == foreign.Id || now.CreatorId != w.Admin.ID || second.command != now.Token || second.command == foreign.Token {
		t.Error("the command is still somebody else's, or its token is not kept")
	}
	// One of ours whose token is not kept gets another.
	lost := second
	lost.command = ""
	third := setUp(t, w, lost, nil)
	if third.command == "" || third.command == second.command || third.command != there().Token {
		t.Error("the token that was there before is kept")
	}
}

// TestSetUpRefuses what would be wrong, and says it without a secret.
func TestSetUpRefuses(t *testing.T) {
	w := mattermosttest.Real(t)
	for name, test := range map[string]struct {
		change func(*Setup)
		want   string
	}{
		"a wrong password":            {func(s *Setup) { s.Password = secret.New("canary-password") }, "does not accept the name, the password"},
		"no administrator":            {func(s *Setup) { s.Login = "siti" }, "no system administrator"},
		"a person in the bot's place": {func(s *Setup) { s.Bot = "rina" }, "is a person's account"},
		"a public channel":            {func(s *Setup) { s.Team, s.Channel = "embassy", "town-square" }, "is not private"},
		"nobody there":                {func(s *Setup) { s.URL = "http://127.0.0.1:9" }, "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			s := Setup{
				URL: w.URL, Login: "admin", Password: secret.New(administrators), Team: "consulate", Channel: "night", Bot: "lampu", CallbackURL: "http://127.0.0.1:9",
				KeepToken: func(secret.Secret) error { return errors.New("a token was made") }, KeepCommandToken: func(secret.Secret) error { return nil },
				Told: func(Change) {},
			}
			test.change(&s)
			err := SetUp(t.Context(), s)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), administrators) {
				t.Errorf("%v", err)
			}
		})
	}
}
