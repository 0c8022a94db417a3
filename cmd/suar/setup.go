package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/spf13/cobra"

	"suar/bot"
	"suar/flows"
)

func newSetupCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "setup",
		Short: "Set up what people see before they write",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newSetupTelegramCommand(), newSetupMattermostCommand())
	return c
}

func newSetupTelegramCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "telegram",
		Short: "Set the bot's name, descriptions and commands in each language",
		Long: `telegram sets what people see of the bot before they write to it: its name, the
description in the empty chat, the short one on its page, and the commands, in each
language that is on. It reads each of them first and changes only what differs, so
it may be run at any time, also while the hotline runs.

The texts are those of the book; what telegram.profile in the configuration says
goes before. They should be true and dull: who finds the bot on a telephone should
learn of opening hours, and of nothing else.`,
		Example: `  suar setup telegram --config /etc/suar/suar.yaml`,
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return setupTelegram(c.Context(), file, os.LookupEnv, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	addConfigFlag(c, &file)
	return c
}

// patience is how long setup waits for a Telegram that says "not now".
const patience = 30 * time.Second

func setupTelegram(ctx context.Context, file string, env lookup, out, errs io.Writer) error {
	conf, err := loadProfileConfig(file, env)
	if err != nil {
		return refuse(err)
	}
	profiles, err := profilesOf(conf)
	if err != nil {
		return refuse(err)
	}
	for _, p := range profiles {
		for _, w := range doubts(p) {
			fmt.Fprintf(errs, "Consider: %s.\n", w)
		}
	}
	account, err := bot.SetProfiles(ctx, bot.Setup{
		Token: conf.Telegram.token, Server: conf.Telegram.Server, Patience: patience,
		Told: func(language, what string, changed bool) {
			if language == "" {
				language = "every other language"
			}
			state := "as it should be"
			if changed {
				state = "changed"
			}
			fmt.Fprintf(out, "The %s in %s: %s.\n", what, language, state)
		},
	}, profiles)
	if err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	for _, what := range onlyBotFather(account) {
		fmt.Fprintf(out, "In BotFather: %s.\n", what)
	}
	return nil
}

// onlyBotFather is what no program can set.
func onlyBotFather(a bot.Account) []string {
	list := []string{"/setuserpic: a plain picture, such as the embassy's door; no lifebuoy, no alarm, nobody else's emblem"}
	if a.Groups {
		list = append(list, "/setjoingroups: Disable; the bot is on its way into any group that somebody adds it to")
	}
	if a.ReadsAll {
		list = append(list, "/setprivacy: Enable; in a group the bot would read all that is said")
	}
	if a.Inline {
		list = append(list, "/setinline: /empty; the bot can be called from other chats, and that stays there to be seen")
	}
	return list
}

// profileConfig is what a deployer says in place of the book's texts, by
// language.
type profileConfig map[string]struct {
	Name        string            `yaml:"name"`
	Description string            `yaml:"description"`
	Short       string            `yaml:"short"`
	Commands    map[string]string `yaml:"commands"`
}

// commands are the bot's commands. It understands more words for them.
func commandNames() []string { return []string{"start", "privacy", "delete", "language"} }

// profilesOf are the profiles in each language that is on, and at the end the one
// for everybody else: English, or the first language.
func profilesOf(conf config) ([]bot.Profile, error) {
	var faults []error
	languages := conf.book.Languages()
	others := languages[0]
	for l := range conf.Telegram.Profile {
		if conf.book.Text(l, "profile.name") == "" {
			faults = append(faults, fmt.Errorf("telegram.profile: the language %q is not on; %s are", l, strings.Join(languages, ", ")))
		}
	}
	var profiles []bot.Profile
	for _, l := range languages {
		if l == "en" {
			others = l
		}
		p, err := profileOf(conf.book, l, conf.Telegram.Profile)
		faults = append(faults, err)
		profiles = append(profiles, p)
	}
	last, _ := profileOf(conf.book, others, conf.Telegram.Profile)
	last.Language = ""
	return append(profiles, last), errors.Join(faults...)
}

func profileOf(book *flows.Book, language string, own profileConfig) (bot.Profile, error) {
	var faults []error
	mine := own[language]
	pick := func(what, own, key string, longest int) string {
		text := strings.TrimSpace(own)
		if text == "" {
			text = strings.TrimSpace(book.Text(language, key))
		}
		if n := len(utf16.Encode([]rune(text))); n > longest {
			faults = append(faults, fmt.Errorf("telegram.profile.%s.%s has %d characters; Telegram takes %d", language, what, n, longest))
		}
		return text
	}
	p := bot.Profile{
		Language:    language,
		Name:        pick("name", mine.Name, "profile.name", bot.LongestName),
		Description: pick("description", mine.Description, "profile.description", bot.LongestDescription),
		Short:       pick("short", mine.Short, "profile.short", bot.LongestShort),
	}
	for _, name := range commandNames() {
		p.Commands = append(p.Commands, bot.Command{
			Name: name, Description: pick("commands."+name, mine.Commands[name], "profile.commands."+name, bot.LongestCommand),
		})
	}
	for name := range mine.Commands {
		if book.Text(language, "profile.commands."+name) == "" {
			faults = append(faults, fmt.Errorf("telegram.profile.%s.commands.%s: there is no such command; there are %s", language, name, strings.Join(commandNames(), ", ")))
		}
	}
	return p, errors.Join(faults...)
}

// alarming are words that must not stand where everybody can see them, with why.
func alarming() []struct{ why, words string } {
	return []struct{ why, words string }{
		{"promises what nobody can promise", "rescue save safe protect secure anonymous selamatkan penyelamat aman lindung rahasia anonim"},
		{"alarms whoever holds the telephone", "hotline emergency danger sos victim trafficking help darurat bahaya korban perdagangan tppo tolong pengaduan lapor polisi police crime kriminal"},
		{"seems to be somebody else", "telegram support official interpol iom unicef un pbb bank game permainan kalkulator calculator weather cuaca kencan dating"},
	}
}

// doubts are what is doubtful about a profile: names that promise, imitate or alarm.
func doubts(p bot.Profile) []string {
	where := "in " + p.Language
	if p.Language == "" {
		return nil // It is one of the others.
	}
	texts := []struct{ what, text string }{{"name", p.Name}, {"description", p.Description}, {"short description", p.Short}}
	for _, c := range p.Commands {
		texts = append(texts, struct{ what, text string }{"command /" + c.Name, c.Description})
	}
	var out []string
	for _, t := range texts {
		words := strings.FieldsFunc(strings.ToLower(t.text), func(r rune) bool { return strings.ContainsRune(" .,:;!?()/\n\"'-–", r) })
		for _, a := range alarming() {
			for bad := range strings.FieldsSeq(a.words) {
				for _, w := range words {
					if w == bad {
						out = append(out, fmt.Sprintf("the %s %s says %q, which %s", t.what, where, w, a.why))
					}
				}
			}
		}
	}
	if lower := strings.ToLower(p.Name); strings.Contains(lower, "kbri") || strings.Contains(lower, "embassy") || strings.Contains(lower, "kedutaan") {
		out = append(out, fmt.Sprintf("the name %s names the embassy: whether that raises or lowers the risk on a seized telephone is not settled; ask survivors and IOM", where))
	}
	return out
}
