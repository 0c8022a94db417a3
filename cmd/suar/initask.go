package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// answers are what suar init has to know.
type answers struct {
	run, mattermost, channel, onCall string
}

// A question is one that suar init asks, unless its flag answers it.
type question struct {
	flag, text, otherwise string
	to                    *string
	check                 func(string) error
}

func (a *answers) questions() []question {
	return []question{
		{"run", "How does it run, systemd or compose?", "systemd", &a.run, checkRun},
		{"mattermost", "Mattermost's address, like https://chat.example.org:", "", &a.mattermost, checkAddress},
		{"channel", "The officers' private channel, as team/channel:", "", &a.channel, checkChannel},
		{"on-call", "Whom a new case calls, user names with commas between:", "", &a.onCall, checkOnCall},
	}
}

func checkRun(text string) error {
	if text != "systemd" && text != "compose" {
		return errors.New("want systemd or compose")
	}
	return nil
}

func checkAddress(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || strings.ContainsAny(text, " \t'\"#") {
		return errors.New("want an address like https://chat.example.org")
	}
	return nil
}

func checkChannel(text string) error {
	if !isChannel(text) {
		return errors.New("want team/channel as they stand in the address of the channel, like embassy/hotline")
	}
	return nil
}

func checkOnCall(text string) error {
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name == "" || strings.Trim(name, lowerCase+"0123456789.-_") != "" {
			return errors.New("want user names in lower case and without @, like siti,budi")
		}
	}
	return nil
}

// changes are the answers in the place of what deploy/suar.yaml has.
func (a *answers) changes() []change {
	var names []string
	for name := range strings.SplitSeq(a.onCall, ",") {
		// Quoted, because a name can look like a number.
		names = append(names, fmt.Sprintf("%q", strings.TrimSpace(name)))
	}
	changes := []change{
		{"https://chat.example.org", a.mattermost},
		{"channel: embassy/hotline", "channel: " + a.channel},
		{"on_call: [siti, budi]", "on_call: [" + strings.Join(names, ", ") + "]"},
		// suar setup mattermost writes it.
		{"  # command_token_file: ", "  command_token_file: "},
	}
	if a.run == "compose" {
		// Of the container; compose.yaml publishes it on one address of the host.
		changes = append(changes, change{"\nlisten: 127.0.0.2:8075", "\nlisten: 0.0.0.0:8075"})
	}
	return changes
}

// asking asks one line each.
type asking struct {
	in  *bufio.Reader
	out io.Writer
}

func newAsking(in io.Reader, out io.Writer) asking { return asking{bufio.NewReader(in), out} }

// all asks what no flag answered. All that is wrong with the flags is said at
// once; an answer that is wrong is asked for again, until the input ends.
func (a asking) all(to *answers) error {
	var faults []error
	for _, q := range to.questions() {
		if *q.to != "" {
			if err := q.check(*q.to); err != nil {
				faults = append(faults, fmt.Errorf("--%s: %w", q.flag, err))
			}
		}
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	for _, q := range to.questions() {
		if *q.to == "" {
			if err := a.one(q); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a asking) one(q question) error {
	for {
		fmt.Fprint(a.out, q.text+" ")
		if q.otherwise != "" {
			fmt.Fprintf(a.out, "[%s] ", q.otherwise)
		}
		line, err := a.in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		answer := strings.TrimSpace(line)
		if answer == "" {
			answer = q.otherwise
		}
		wrong := q.check(answer)
		if wrong == nil {
			*q.to = answer
			return nil
		}
		fmt.Fprintf(a.out, "%v.\n", wrong)
		if err != nil {
			return fmt.Errorf("there is no answer to %q: give it with --%s; nothing was written", q.text, q.flag)
		}
	}
}
