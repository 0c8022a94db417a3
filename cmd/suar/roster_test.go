package main

import (
	"crypto/ed25519"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/handoff/roster"
)

// A signer signs the rosters of a test.
type signer struct{ ed25519.PrivateKey }

func newSigner(t *testing.T) signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key}
}

func (s signer) public() string { return roster.PublicKey(s.Public().(ed25519.PublicKey)) }

// sign puts a roster and its signature into the deployment.
func (d *deployment) sign(t *testing.T, s signer, text string) {
	t.Helper()
	d.file(t, "etc/roster.yaml.sig", string(roster.Sign([]byte(text), s.PrivateKey)), 0o644)
	d.file(t, "etc/roster.yaml", text, 0o644)
}

// withRoster has the configuration name the roster in the place of on_call.
func (d *deployment) withRoster(key string) {
	d.values["on_call"] = "[], roster: " + d.path("etc/roster.yaml")
	if key != "" {
		d.values["on_call"] += ", roster_key: '" + key + "'"
	}
}

const shortRoster = `version: 7
zone: Asia/Vientiane
officers: [{name: siti, role: lead}, {name: budi}]
shifts: [{days: [daily], from: 06:00, to: 22:00, first: siti}]
`

func TestRosterOfTheConfiguration(t *testing.T) {
	key, other := newSigner(t), newSigner(t)
	unsigned := "etc/roster.yaml: the roster is not served: its signature in etc/roster.yaml.sig is not one of mattermost.roster_key for this file; whoever has the key looks at the file, signs it with suar roster sign and copies both files here"
	for name, c := range map[string]struct {
		change func(d *deployment)
		want   []string
	}{
		"right":             {func(*deployment) {}, nil},
		"changed since":     {func(d *deployment) { d.file(t, "etc/roster.yaml", shortRoster+"# siti\n", 0o644) }, []string{unsigned}},
		"signed by another": {func(d *deployment) { d.sign(t, other, shortRoster) }, []string{unsigned}},
		"not signed": {func(d *deployment) { _ = os.Remove(d.path("etc/roster.yaml.sig")) }, []string{
			"etc/roster.yaml.sig: no such file or directory; whoever has the roster's key signs it with suar roster sign and copies both files here",
		}},
		"not there": {func(d *deployment) { _ = os.Remove(d.path("etc/roster.yaml")) }, []string{
			"etc/roster.yaml: no such file or directory; the roster belongs there; deploy/roster.yaml is an example",
		}},
		"signed with a fault": {func(d *deployment) { d.sign(t, key, strings.Replace(shortRoster, "first: siti", "first: umar", 1)) }, []string{
			"etc/roster.yaml: line 4: first is not among the officers: list the officer, or name another",
		}},
		"without a key": {func(d *deployment) { d.withRoster("") }, []string{
			"mattermost.roster_key is missing: the public key that suar roster keygen prints; without it nobody could tell whether the roster was changed",
		}},
		"with another kind of key": {func(d *deployment) { d.withRoster("age1abc") }, []string{
			"mattermost.roster_key: want a roster's public key, ed25519: and 43 characters, as suar roster keygen prints it",
		}},
		"with on_call as well": {func(d *deployment) {
			d.values["on_call"] = strings.Replace(d.values["on_call"], "[]", "[siti]", 1)
		}, []string{"mattermost.on_call and mattermost.roster: take out on_call, the roster says who is called"}},
		"neither": {func(d *deployment) { d.values["on_call"] = "[]" }, []string{
			"mattermost.on_call is empty: name at least one officer or a roster, or nobody is called when a case comes",
		}},
		"only a key": {func(d *deployment) { d.values["on_call"] = "[siti], roster_key: '" + key.public() + "'" }, []string{
			"mattermost.roster is missing: name the roster's file, or take out roster_key",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDeployment(t)
			d.sign(t, key, shortRoster)
			d.withRoster(key.public())
			c.change(d)
			if diff := cmp.Diff(c.want, d.load(t)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A hotline does not begin with an older roster than the one that it served, and
// takes over a newer one while it runs; one that is not right changes nothing.
func TestRosterIsServed(t *testing.T) {
	key := newSigner(t)
	d := newDeployment(t)
	d.sign(t, key, shortRoster)
	d.withRoster(key.public())
	d.values["listen"] = "127.0.0.1:0"
	serve := func() (*app, *strings.Builder, error) {
		t.Helper()
		d.write(t)
		c, err := loadConfig(d.path("etc/suar.yaml"), d.lookup)
		if err != nil {
			t.Fatal(err)
		}
		log := &strings.Builder{}
		a, err := newApp(t.Context(), setting{config: c, log: newLog(logConfig{}, log)})
		return a, log, err
	}
	a, log, err := serve()
	if err != nil {
		t.Fatal(err)
	}
	if got := a.duty.Load().Version; got != 7 || !strings.Contains(log.String(), "gaps=14") {
		t.Errorf("version %d, log %s", got, log)
	}
	next := func(version, more string) {
		t.Helper()
		d.sign(t, key, strings.Replace(shortRoster, "version: 7", "version: "+version, 1)+more)
	}
	look := func(version uint64, says string) {
		t.Helper()
		log.Reset()
		a.lookAtRoster(t.Context())
		if got := a.duty.Load().Version; got != version || !strings.Contains(log.String(), says) || says == "" && log.String() != "" {
			t.Errorf("version %d, want %d; log %q, want %q", got, version, log, says)
		}
	}
	look(7, "")
	next("9", "")
	look(9, "version=9")
	next("8", "")
	look(9, "older roster")
	look(9, "") // It is said once.
	d.file(t, "etc/roster.yaml", shortRoster, 0o644)
	look(9, "suar check --config says")
	next("9", "overrides: [{from: 2026-12-01T00:00, to: 2026-12-02T00:00, first: budi}]\n")
	look(9, "has the version of the one before")
	next("9", "# A remark changes nobody's duty.\n")
	look(9, "")
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	d.sign(t, key, shortRoster)
	if _, _, err := serve(); err == nil || !strings.Contains(err.Error(), "older roster than the one that was served last") {
		t.Errorf("an older roster after a restart: %v", err)
	}
}

// The report's days are those of the roster's clock, in any season.
func TestRosterReportDays(t *testing.T) {
	r, err := roster.Parse([]byte(strings.Replace(shortRoster, "Asia/Vientiane", "America/New_York", 1)))
	if err != nil {
		t.Fatal(err)
	}
	report := newRosterReport(r, time.Date(2026, 10, 30, 23, 30, 0, 0, r.Location()), 4)
	var got []string
	for _, d := range report.Days {
		got = append(got, d.Date+" "+d.shift)
		if d.Duties[0].hours != "00:00–06:00" || d.Duties[2].hours != "22:00–24:00" {
			t.Errorf("%s: %+v", d.Date, d.Duties)
		}
	}
	if diff := cmp.Diff([]string{"2026-10-30 ", "2026-10-31 ", "2026-11-01 -04:00 to -05:00", "2026-11-02 "}, got); diff != "" {
		t.Error(diff)
	}
}
