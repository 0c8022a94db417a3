package main

import (
	"strings"
	"testing"

	"suar/internal/telegramtest"
)

// setupWith runs "suar setup telegram" with a configuration that has lines more.
func setupWith(t *testing.T, lines string) (server *telegramtest.Server, out, errs string, err error) {
	t.Helper()
	server = telegramtest.New(telegramtest.Options{Open: true})
	t.Cleanup(server.Close)
	d := newDeployment(t)
	d.file(t, "etc/secrets/telegram", server.Token, 0o400)
	text := "telegram:\n  server: " + server.URL() + "\n  token_file: " + d.path("etc/secrets/telegram") + "\n" + lines
	d.file(t, "etc/suar.yaml", text, 0o644)
	var o, e strings.Builder
	err = setupTelegram(t.Context(), d.path("etc/suar.yaml"), d.lookup, &o, &e)
	if strings.Contains(o.String()+e.String(), server.Token) {
		t.Error("the token is printed")
	}
	return server, o.String(), e.String(), err
}

// TestSetupTelegram: what nobody configured is neutral, in each language that is
// on, and what a program cannot set is said.
func TestSetupTelegram(t *testing.T) {
	server, out, errs, err := setupWith(t, "languages: [id, en, lo]\n")
	if err != nil || errs != "" {
		t.Fatalf("%v\n%s", err, errs)
	}
	for _, want := range []string{
		"The name in id: changed.", "The commands in lo: changed.", "The description in every other language: changed.",
		"In BotFather: /setuserpic", "In BotFather: /setjoingroups: Disable",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the output does not say %q:\n%s", want, out)
		}
	}
	if n := server.Count("setMyName"); n != 4 {
		t.Errorf("%d names were set, want one for each language and one for the others", n)
	}
	if faults := server.Faults(); len(faults) > 0 {
		t.Errorf("Telegram would not take: %q", faults)
	}
}

// TestSetupTelegramFaults: what does not fit is said before anything is set.
func TestSetupTelegramFaults(t *testing.T) {
	for _, tt := range []struct{ lines, want string }{
		{"  profile: {en: {name: " + strings.Repeat("n", 65) + "}}\n", "telegram.profile.en.name has 65 characters; Telegram takes 64"},
		{"  profile: {id: {short: " + strings.Repeat("🏢", 61) + "}}\n", "telegram.profile.id.short has 122 characters; Telegram takes 120"},
		{"  profile: {id: {commands: {help: Bantuan}}}\n", "telegram.profile.id.commands.help: there is no such command; there are start, privacy, delete, language"},
		{"  profile: {th: {name: x}}\n", `telegram.profile: the language "th" is not on; id, en are`},
		{"  profile: {id: {nama: x}}\n", `the key "nama" is not known`},
	} {
		server, _, _, err := setupWith(t, tt.lines)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
		if server.Count("getMe")+server.Count("setMyName") > 0 {
			t.Errorf("%q: Telegram was asked all the same", tt.lines)
		}
	}
}

// TestDoubtfulProfiles: names that promise, imitate or alarm are questioned, and
// those of the book are not.
func TestDoubtfulProfiles(t *testing.T) {
	_, _, errs, err := setupWith(t, "  profile: {id: {name: Hotline KBRI}, en: {description: 'We rescue you. Official IOM bot.', commands: {start: Report to police}}}\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`the name in id says "hotline", which alarms whoever holds the telephone`,
		"the name in id names the embassy: whether that raises or lowers the risk",
		`the description in en says "rescue", which promises what nobody can promise`,
		`the description in en says "iom", which seems to be somebody else`,
		`the command /start in en says "police"`,
	} {
		if !strings.Contains(errs, want) {
			t.Errorf("it is not said %q:\n%s", want, errs)
		}
	}
	book, err := loadBook("", "", "id", "en", "lo", "th", "zh", "vi", "my", "km", "tl", "hi")
	if err != nil {
		t.Fatal(err)
	}
	profiles, err := profilesOf(config{book: book})
	if err != nil || len(profiles) != 11 {
		t.Fatalf("%d profiles: %v", len(profiles), err)
	}
	for _, p := range profiles {
		if d := doubts(p); len(d) > 0 {
			t.Errorf("%s: %q", p.Language, d)
		}
		if p.Name == "" || p.Description == "" || p.Short == "" || len(p.Commands) != 4 {
			t.Errorf("the profile in %q is not whole: %+v", p.Language, p)
		}
	}
}
