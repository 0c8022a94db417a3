package handoff

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/internal/mattermosttest"
	"suar/internal/secret"
)

func TestCheck(t *testing.T) {
	w := mattermosttest.Real(t)
	other, _, err := w.Admin.Client().CreateChannel(t.Context(), &model.Channel{
		TeamId: w.TeamID, Name: "elsewhere", DisplayName: "Elsewhere", Type: model.ChannelTypePrivate,
	})
	if err != nil {
		t.Fatal(err)
	}
	team, _, err := w.Admin.Client().GetTeam(t.Context(), w.TeamID, "")
	if err != nil {
		t.Fatal(err)
	}
	channel, _, err := w.Bot.Client().GetChannel(t.Context(), w.ChannelID)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(foreign.Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   []string // the beginning of each fault
	}{
		{"nothing", func(*Config) {}, nil},
		{"by name", func(c *Config) { c.Channel = team.Name + "/" + channel.Name }, nil},
		{"dead token", func(c *Config) { c.Token = secret.New("canary") }, []string{"Mattermost does not accept the token"}},
		{"no server", func(c *Config) { c.URL = "http://127.0.0.1:1" }, []string{"Mattermost does not answer as it should (status 0)"}},
		{"a person's token", func(c *Config) { c.Token = secret.New(w.Officers[0].Token) }, []string{"The token is that of a person"}},
		{"an administrator's token", func(c *Config) { c.Token = secret.New(w.Admin.Token) }, []string{
			"The token is that of a person", "The bot is a system administrator", "The bot is not in the officers' channel",
		}},
		{"another channel", func(c *Config) { c.Channel = other.Id }, []string{"The bot is not in the officers' channel"}},
		{"who is on call", func(c *Config) { c.OnCall = []string{"siti", "outsider", "nobody"} }, []string{
			"Number 2 of those on call", "Number 3 of those on call",
		}},
		{"clock", func(c *Config) { c.Now = func() time.Time { return time.Now().Add(time.Hour) } }, []string{"The clocks"}},
		{"another server", func(c *Config) { c.ServerKey = base64.StdEncoding.EncodeToString(der) }, []string{"Mattermost's public key is not the configured one"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t, w, tt.change)
			faults := r.Check(t.Context())
			ok := slices.EqualFunc(faults, tt.want, func(f Fault, want string) bool {
				return strings.HasPrefix(f.What, want) && f.Grave && f.Do != "" && !strings.Contains(f.String(), "canary")
			})
			if !ok {
				t.Errorf("faults %v, want %q", faults, tt.want)
			}
		})
	}
}

func TestCheckSettings(t *testing.T) {
	w := mattermosttest.Real(t,
		mattermosttest.Setting{Name: "EmailSettings.SendEmailNotifications", Value: "true"},
		mattermosttest.Setting{Name: "EmailSettings.SendPushNotifications", Value: "true"},
		mattermosttest.Setting{Name: "ServiceSettings.EnableLinkPreviews", Value: "true"},
		mattermosttest.Setting{Name: "ServiceSettings.PostEditTimeLimit", Value: "300"},
	)
	var got []string
	for _, f := range newRig(t, w).Check(t.Context()) {
		got = append(got, fmt.Sprint(f.What, f.Grave, f.Unseen))
	}
	want := []string{
		"Mattermost limits how long posts can be edited.true false", "Mattermost sends posts by e-mail.true false",
		"Mattermost sends push notifications, and does not show a bot what is in them.false true", "Mattermost fetches previews of links.false false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("faults %q, want %q", got, want)
	}
}

func TestCheckCallback(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		if f := newRig(t, w).CheckCallback(t.Context()); f != nil {
			t.Errorf("fault %v, want none", f)
		}
		for _, address := range []string{"http://127.0.0.1:1", w.URL} {
			f := newRig(t, w, func(c *Config) { c.CallbackURL = address }).CheckCallback(t.Context())
			if f == nil || !strings.Contains(f.What, "does not reach") {
				t.Errorf("fault %v, want that it is not reached", f)
			}
		}
		f := newRig(t, w, func(c *Config) { c.URL = "http://127.0.0.1:1" }).CheckCallback(t.Context())
		if f == nil || !strings.HasPrefix(f.What, "Mattermost does not answer.") {
			t.Errorf("fault %v, want that Mattermost does not answer", f)
		}
	})
}

func TestNewReportsEveryFault(t *testing.T) {
	_, err := New(Config{URL: "ftp://x", Channel: "a", Key: make([]byte, 31), OnCall: []string{"@all here"}, ServerKey: "x"})
	if err == nil {
		t.Fatal("New takes an empty configuration")
	}
	for _, what := range []string{"URL", "Token", "Channel", "CallbackURL", "Key", "Handler", "Log", "OnCall", "public key"} {
		if !strings.Contains(err.Error(), what) {
			t.Errorf("%q is not in %q", what, err)
		}
	}
}

func TestTokenIsNotPrinted(t *testing.T) {
	const canary = "canary"
	c := Config{Token: secret.New(canary)}
	var log safeBuffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "token", c.Token, "config", c)
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s %q %x", c.Token, c.Token, c.Token, c.Token, c.Token, c.Token),
		fmt.Sprintf("%v %+v %#v", c, c, c), log.String(),
	} {
		if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
			t.Errorf("the token is printed: %s", text)
		}
	}
}

func TestUncallable(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		got, err := r.Uncallable(t.Context(), []string{"siti", w.Outsider.Username, "budi", "nobody-at-all", w.Bot.Username})
		if want := []string{w.Outsider.Username, "nobody-at-all", w.Bot.Username}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
		away := newRig(t, w, func(c *Config) { c.URL = "http://127.0.0.1:1" })
		if got, err := away.Uncallable(t.Context(), []string{"siti"}); err == nil {
			t.Errorf("of a server that does not answer: %q", got)
		}
	})
}
