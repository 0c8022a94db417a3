package bot_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"suar/bot"
	"suar/internal/secret"
	"suar/internal/telegramtest"
)

func twoProfiles() []bot.Profile {
	commands := []bot.Command{{Name: "start", Description: "Mulai"}, {Name: "delete", Description: "Hapus"}}
	return []bot.Profile{
		{Language: "id", Name: "Info Konsuler", Description: "Jam buka.", Short: "Jam buka", Commands: commands},
		{Name: "Consular Info", Description: "Opening hours.", Short: "Hours", Commands: commands},
	}
}

// set runs SetProfiles and returns what was told.
func set(t *testing.T, s *telegramtest.Server, profiles []bot.Profile) (changed, same int, err error) {
	t.Helper()
	_, err = bot.SetProfiles(t.Context(), bot.Setup{
		Token: secret.New(s.Token), Server: s.URL(), Patience: 10 * time.Second,
		Told: func(_, _ string, c bool) {
			if c {
				changed++
			} else {
				same++
			}
		},
	}, profiles)
	if err != nil && strings.Contains(err.Error(), s.Token) {
		t.Errorf("the error holds the token")
	}
	return changed, same, err
}

func telegramFor(t *testing.T) *telegramtest.Server {
	t.Helper()
	s := telegramtest.New(telegramtest.Options{})
	t.Cleanup(s.Close)
	return s
}

// TestProfilesAreReadFirst: only what differs is changed.
func TestProfilesAreReadFirst(t *testing.T) {
	s := telegramFor(t)
	profiles := twoProfiles()
	if changed, same, err := set(t, s, profiles); err != nil || changed != 8 || same != 0 {
		t.Fatalf("at first %d changed and %d the same: %v", changed, same, err)
	}
	if changed, same, err := set(t, s, profiles); err != nil || changed != 0 || same != 8 {
		t.Errorf("then %d changed and %d the same: %v", changed, same, err)
	}
	profiles[0].Short = "Paspor"
	if changed, same, err := set(t, s, profiles); err != nil || changed != 1 || same != 7 {
		t.Errorf("of one text %d changed and %d the same: %v", changed, same, err)
	}
	for method, want := range map[string]int{"setMyName": 2, "setMyDescription": 2, "setMyShortDescription": 3, "setMyCommands": 2} {
		if n := s.Count(method); n != want {
			t.Errorf("%s was called %d times, want %d", method, n, want)
		}
	}
	if faults := s.Faults(); len(faults) > 0 {
		t.Errorf("Telegram would not take: %q", faults)
	}
}

// TestProfilesRefused: each refusal says what can be done, and what Telegram takes
// is set all the same.
func TestProfilesRefused(t *testing.T) {
	for _, tt := range []struct {
		name    string
		failure *telegramtest.Failure
		changed int
		want    string
	}{
		{"not for a day", telegramtest.TooManyRequests(80000), 6, "the name in id: Telegram allows it again in 22h13m20s"},
		{"not taken", telegramtest.Refused(http.StatusBadRequest, "Bad Request: BOT_NAME_INVALID"), 6, "Telegram does not take it"},
		{"an unknown token", telegramtest.Refused(http.StatusUnauthorized, "Unauthorized"), 0, "BotFather shows it at /mybots"},
		{"away", telegramtest.Broken(http.StatusBadGateway), 0, "Telegram does not answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := telegramFor(t)
			s.Fail("setMyName", telegramtest.Always(tt.failure))
			changed, _, err := set(t, s, twoProfiles())
			if changed != tt.changed || err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%d changed, and %v", changed, err)
			}
		})
	}
	t.Run("not now", func(t *testing.T) {
		s := telegramFor(t)
		s.Fail("setMyCommands", telegramtest.Times(telegramtest.TooManyRequests(1)))
		if changed, _, err := set(t, s, twoProfiles()); err != nil || changed != 8 {
			t.Errorf("%d changed: %v", changed, err)
		}
	})
	t.Run("no token", func(t *testing.T) {
		if _, err := bot.SetProfiles(t.Context(), bot.Setup{Token: secret.New("x")}, nil); err == nil || !strings.Contains(fmt.Sprint(err), "Token is not of the form") {
			t.Errorf("got %v", err)
		}
	})
}
