package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	telegram "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"suar/internal/secret"
)

// A Profile is what people see of the bot before they write to it, for those whose
// telephone speaks a language. Language "" is for everybody else.
type Profile struct {
	Language    string
	Name        string
	Description string // in the empty chat, above "Start"
	Short       string // on the bot's page, and where its link is shared
	Commands    []Command
}

// A Command is a line of the menu beside the field of text.
type Command struct{ Name, Description string }

// The longest that Telegram takes of each, in UTF-16 units.
const (
	LongestName        = 64
	LongestDescription = 512
	LongestShort       = 120
	LongestCommand     = 256
)

// A Setup is what Profiles needs.
type Setup struct {
	Token secret.Secret
	// Server is the Bot API server; empty is Telegram's own.
	Server string
	// Patience is how long a "not now" of Telegram's is waited for at most; a
	// longer one is an error.
	Patience time.Duration
	// Told is told of each thing that is the same already or was changed.
	Told func(language, what string, changed bool)
}

// An Account is what only BotFather can change.
type Account struct {
	Groups   bool // the bot can be added to groups
	ReadsAll bool // it would read all that is said in them
	Inline   bool // it can be called from other chats
}

// SetProfiles brings the bot's profiles up to date: it reads each thing back first,
// and changes what differs. It goes on after what Telegram refuses, but not if the
// token is unknown or Telegram does not answer; the error joins all that was not
// done. It may be called again at any time.
func SetProfiles(ctx context.Context, s Setup, profiles []Profile) (Account, error) {
	if !tokenForm.MatchString(s.Token.Reveal()) {
		return Account{}, errors.New("bot: Token is not of the form 123456:abc")
	}
	if s.Server == "" {
		s.Server = defaultServer
	}
	a, err := newAPI(&http.Client{Timeout: callTimeout}, s.Server, s.Token.Reveal())
	if err != nil {
		return Account{}, errors.New("bot: ServerURL is no URL")
	}
	p := profiler{Setup: s, api: a}
	var me models.User
	if err := p.call(ctx, "getMe", nil, &me); err != nil {
		return Account{}, p.why("asking who the bot is", err)
	}
	var faults []error
	for _, profile := range profiles {
		for _, step := range p.steps(profile) {
			err := step.bring(ctx)
			if err == nil {
				continue
			}
			err = p.why(fmt.Sprintf("the %s in %s", step.what, inLanguage(profile.Language)), err)
			if k := refuse(errors.Unwrap(err)).kind; k == unknown || k == down {
				return Account{}, errors.Join(append(faults, err)...)
			}
			faults = append(faults, err)
		}
	}
	return Account{Groups: me.CanJoinGroups, ReadsAll: me.CanReadAllGroupMessages, Inline: me.SupportInlineQueries}, errors.Join(faults...)
}

func inLanguage(language string) string {
	if language == "" {
		return "every other language"
	}
	return language
}

// A profiler sets profiles.
type profiler struct {
	Setup
	api *api
}

// A step brings one thing up to date.
type step struct {
	what  string
	bring func(ctx context.Context) error
}

func (p *profiler) steps(profile Profile) []step {
	l := profile.Language
	one := func(what, get, set string, now *string, want string, read, params any) step {
		return step{what, func(ctx context.Context) error {
			if err := p.call(ctx, get, map[string]string{"language_code": l}, read); err != nil {
				return err
			}
			if *now == want {
				p.Told(l, what, false)
				return nil
			}
			if err := p.call(ctx, set, params, nil); err != nil {
				return err
			}
			p.Told(l, what, true)
			return nil
		}}
	}
	var name models.BotName
	var description models.BotDescription
	var short models.BotShortDescription
	return []step{
		one("name", "getMyName", "setMyName", &name.Name, profile.Name, &name,
			&telegram.SetMyNameParams{Name: profile.Name, LanguageCode: l}),
		one("description", "getMyDescription", "setMyDescription", &description.Description, profile.Description, &description,
			&telegram.SetMyDescriptionParams{Description: profile.Description, LanguageCode: l}),
		one("short description", "getMyShortDescription", "setMyShortDescription", &short.ShortDescription, profile.Short, &short,
			&telegram.SetMyShortDescriptionParams{ShortDescription: profile.Short, LanguageCode: l}),
		{"commands", func(ctx context.Context) error { return p.commands(ctx, l, profile.Commands) }},
	}
}

func (p *profiler) commands(ctx context.Context, language string, commands []Command) error {
	var want, now []models.BotCommand
	for _, c := range commands {
		want = append(want, models.BotCommand{Command: c.Name, Description: c.Description})
	}
	if err := p.call(ctx, "getMyCommands", map[string]string{"language_code": language}, &now); err != nil {
		return err
	}
	if slices.Equal(now, want) {
		p.Told(language, "commands", false)
		return nil
	}
	if err := p.call(ctx, "setMyCommands", &telegram.SetMyCommandsParams{Commands: want, LanguageCode: language}, nil); err != nil {
		return err
	}
	p.Told(language, "commands", true)
	return nil
}

// call performs a call and reads its result into result, if that is wanted. It
// waits once for a "not now" that is soon over.
func (p *profiler) call(ctx context.Context, method string, params, result any) error {
	content := []byte("{}")
	if params != nil {
		var err error
		if content, err = json.Marshal(params); err != nil {
			return err
		}
	}
	got, err := p.api.do(ctx, method, content)
	if r := refuse(err); err != nil && r.kind == flood && r.after <= p.Patience {
		wait := time.NewTimer(r.after)
		defer wait.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wait.C:
		}
		got, err = p.api.do(ctx, method, content)
	}
	if err != nil || result == nil {
		return err
	}
	if err := json.Unmarshal(got, result); err != nil {
		return unreadable()
	}
	return nil
}

// why says what somebody can do about a refusal.
func (p *profiler) why(what string, err error) error {
	then := "run it again"
	switch r := refuse(err); r.kind {
	case unknown:
		then = "Telegram does not know the token: BotFather shows it at /mybots"
	case flood:
		then = fmt.Sprintf("Telegram allows it again in %v: run it again then, what was done stays", r.after)
	case down:
		then = "Telegram does not answer, or what answers is no Bot API: run it again"
	case malformed, large:
		then = "Telegram does not take it: look for control characters, a language code that Telegram does not know, or a text that is too long"
	}
	return fmt.Errorf("%s: %s (%w)", what, then, err)
}
