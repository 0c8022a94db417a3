package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"suar/internal/loopback"
	"suar/internal/mattermosttest"
	"suar/internal/telegramtest"
)

// A logTail hands over each line of a log as it is written.
type logTail chan string

func (l logTail) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// until reads the log until one of the texts is in it, and returns what it read.
func (l logTail) until(t *testing.T, texts ...string) string {
	t.Helper()
	var read strings.Builder
	for {
		select {
		case line := <-l:
			read.WriteString(line)
			if slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(line, text) }) {
				return read.String()
			}
		case <-time.After(time.Minute):
			t.Fatalf("none of %q is in the log:\n%s", texts, read.String())
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := loopback.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// TestServeTriesTheCallback serves a hotline whose Mattermost does or does not
// reach it, and reads what is said of that.
func TestServeTriesTheCallback(t *testing.T) {
	w := mattermosttest.StandIn(t)
	telegram := telegramtest.New(telegramtest.Options{})
	t.Cleanup(telegram.Close)
	const reached, unreached = "mattermost reaches the callback", "Mattermost does not reach the hotline for buttons."
	for _, tt := range []struct{ name, callback, want string }{
		{"reached", "", reached},
		{"not reached", "http://127.0.0.1:1", unreached},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDeployment(t)
			d.file(t, "etc/secrets/mattermost", w.Bot.Token, 0o400)
			address := freeAddress(t)
			d.values["listen"], d.values["callback"] = address, "http://"+address
			if tt.callback != "" {
				d.values["callback"] = tt.callback
			}
			d.values["url"], d.values["channel"], d.values["telegram_server"] = w.URL, w.ChannelID, telegram.URL()
			d.write(t)
			ctx, stop := context.WithCancel(t.Context())
			log, done := make(logTail, 1000), make(chan error, 1)
			go func() { done <- serve(ctx, d.path("etc/suar.yaml"), d.lookup, log) }()
			read := log.until(t, reached, unreached)
			if listening := `msg="listening to Mattermost"`; !strings.Contains(read, listening) {
				read += log.until(t, listening)
			}
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if read += log.until(t, "msg=ended"); strings.Contains(read, "not connected yet") {
				t.Errorf("the end is told as a fault:\n%s", read)
			}
			if !strings.Contains(read, tt.want) {
				t.Errorf("%q is not in the log:\n%s", tt.want, read)
			}
			for _, w := range []string{"no recovery key", "no directory is configured"} {
				if !strings.Contains(read, w) {
					t.Errorf("%q is not in the log:\n%s", w, read)
				}
			}
		})
	}
}

// TestServeSaysThatItBegins begins a store, which the log must tell, and refuses
// one whose folder is away.
func TestServeSaysThatItBegins(t *testing.T) {
	d := newDeployment(t)
	d.write(t)
	const begun = "a new, empty store was begun"
	for _, want := range []bool{true, false} {
		ctx, stop := context.WithCancel(t.Context())
		var log bytes.Buffer
		c, err := loadConfig(d.path("etc/suar.yaml"), d.lookup)
		if err != nil {
			t.Fatal(err)
		}
		c.Listen = "127.0.0.1:0"
		a, err := newApp(ctx, setting{config: c, log: newLog(c.Log, &log)})
		if err != nil {
			t.Fatal(err)
		}
		stop()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if got := strings.Contains(log.String(), begun) && strings.Contains(log.String(), d.values["store"]); got != want {
			t.Errorf("it says that a store was begun: %v, want %v:\n%s", got, want, log.String())
		}
	}
	if err := os.Rename(d.path("data"), d.path("away")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"serve", "check"} {
		code, _, errOut := d.command(t, name, "--config", d.path("etc/suar.yaml"))
		if code != exitRefused || !strings.Contains(errOut, "the store's folder is not there") {
			t.Errorf("%s without the folder: exit code %d: %s", name, code, errOut)
		}
	}
	if _, err := os.Lstat(d.path("data")); err == nil {
		t.Error("the folder was made")
	}
}

// TestLacking is what serve warns of, by what the hotline has.
func TestLacking(t *testing.T) {
	at := time.Date(2021, 11, 23, 12, 0, 0, 0, time.UTC)
	entry := func(days ...string) string {
		text := "numbers:\n"
		for _, day := range days {
			text += fmt.Sprintf("- {label: {id: Contoh, en: Example}, number: \"000 0000\", verified_on: %s, verified_by: A}\n", day)
		}
		return text
	}
	page := "pages: [{id: a, title: {id: x, en: x}, text: {id: x, en: x}, verified_on: 2021-01-31, verified_by: A}]\n"
	_, siti := newKey(t, "siti", "officer")
	_, recovery := newKey(t, "brankas", "recovery")
	for _, tt := range []struct {
		name, recipients, directory string
		want                        []string
	}{
		{"nothing", siti + recovery, entry("2021-11-01"), nil},
		{"a recovery key", siti, entry("2021-11-01"), []string{"the recipients hold no recovery key"}},
		{"a directory", siti + recovery, "", []string{"no directory is configured: people in danger see no telephone number"}},
		{"a number", siti + recovery, "stale_after: 24h", []string{"the directory holds no number: people in danger see none"}},
		{"the only number", siti + recovery, entry("2021-08-01"), []string{"in the directory all 1 numbers are stale since 2021-10-30: people in danger see none"}},
		{"one of two numbers", siti + recovery, entry("2021-08-01", "2021-11-01"), []string{"in the directory 1 of 2 numbers are stale, the first since 2021-10-30"}},
		{"every number and page", siti + recovery, entry("2021-08-01", "2021-08-02") + page, []string{
			"in the directory all 2 numbers are stale since 2021-10-31: people in danger see none",
			"in the directory all 1 pages are stale since 2021-05-01: nobody is shown one",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDeployment(t)
			d.file(t, "etc/recipients", tt.recipients, 0o644)
			if tt.directory != "" {
				d.file(t, "etc/directory.yaml", tt.directory, 0o644)
				d.values["directory"] = d.path("etc/directory.yaml")
			}
			d.write(t)
			c, err := loadConfig(d.path("etc/suar.yaml"), d.lookup)
			if err != nil {
				t.Fatal(err)
			}
			if got := lacking(setting{config: c}, at); !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
