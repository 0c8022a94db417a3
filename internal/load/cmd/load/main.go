// Command load measures what the hotline can bear:
//
//	go run ./internal/load/cmd/load
//
// It builds suar, starts it between a Telegram with thousands of simulated
// chats and a Mattermost, and prints what it measured. -h lists the options.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"suar/internal/load"
	"suar/internal/mattermosttest/standin"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // The signals end with the process.
	}
}

func run(ctx context.Context) error {
	o := load.Options{Out: os.Stdout}
	flag.IntVar(&o.Chats, "chats", 2000, "how many chats talk at once")
	flag.IntVar(&o.Cases, "cases", 0, "let one of so many conversations end as a case; 0 for none")
	flag.DurationVar(&o.Warm, "warm", 3*time.Second, "how long each round runs before it is measured")
	flag.DurationVar(&o.For, "for", 10*time.Second, "how long each round is measured")
	flag.IntVar(&o.Rounds, "rounds", 1, "how often suar and the bare loop run in turn")
	flag.Float64Var(&o.Rate, "rate", 0, "conversations a second of the paced round; 0 for half of the full one, -1 for no such round")
	flag.IntVar(&o.Live, "live", 0, "begin so many conversations and look at the memory")
	flag.BoolVar(&o.Shared, "shared", false, "do not give the program a core of its own")
	flag.BoolVar(&o.Alone, "alone", false, "leave the bare loop out")
	flag.StringVar(&o.Binary, "suar", "", "a suar that is built already, a `file`")
	flag.StringVar(&o.Bare, "bare", "", "a bare loop that is built already, a `file`")
	flag.StringVar(&o.Redis, "redis", "", "the `address` of a Redis in place of the embedded store, host:port")
	flag.StringVar(&o.RedisPassword, "redis-password-file", "", "the `file` with its password")
	flag.StringVar(&o.Config, "config", "", "a YAML `file` that is laid over the configuration")
	flag.StringVar(&o.Folder, "folder", "", "an empty `folder` for the files, which are kept; a temporary one if empty")
	url := flag.String("mattermost", "", "the `address` of a Mattermost; the stand-in if empty")
	token := flag.String("mattermost-token-file", "", "the `file` with the token of a bot in it")
	channel := flag.String("mattermost-channel", "", "the officers' channel there, team/channel or its id")
	flag.Parse()
	if *url == "" {
		officers, done, err := small()
		if err != nil {
			return err
		}
		defer done()
		o.Officers = officers
	} else {
		raw, err := os.ReadFile(*token)
		if err != nil {
			return err
		}
		o.Officers = load.Officers{
			URL: *url, Token: strings.TrimSpace(string(raw)), Channel: *channel, OnCall: []string{"siti", "budi"}, Name: "the Mattermost given",
		}
	}
	_, err := load.Run(ctx, o)
	return err
}

// small starts the stand-in of Mattermost, in this process.
func small() (load.Officers, func(), error) {
	s, err := standin.New()
	if err != nil {
		return load.Officers{}, nil, err
	}
	bot, token := s.AddPerson(standin.Person{Username: "suar", Bot: true})
	siti, _ := s.AddPerson(standin.Person{Username: "siti"})
	budi, _ := s.AddPerson(standin.Person{Username: "budi"})
	channel := s.AddChannel(s.AddTeam("embassy", "Embassy"), "hotline", "Hotline")
	s.Join(channel, bot, siti, budi)
	if err := s.Start("127.0.0.1:0"); err != nil {
		return load.Officers{}, nil, err
	}
	return load.Officers{
		URL: s.URL(), Token: token, Channel: channel, OnCall: []string{"siti", "budi"}, Name: "Mattermost's stand-in",
	}, func() { _ = s.Stop() }, nil
}
