package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"suar/internal/loopback"
	"suar/internal/mattermosttest"
	"suar/internal/mattermosttest/standin"
	"suar/internal/telegramtest"
)

// guard is when a test gives up what should have happened long before.
const guard = 2 * time.Minute

// A process is "suar serve" as systemd starts it.
type process struct {
	cmd   *exec.Cmd
	log   logTail
	ended chan error
}

// spawn starts suar serve with the deployment's configuration and waits until
// it serves.
func (d *deployment) spawn(t *testing.T) *process {
	t.Helper()
	p := &process{log: make(logTail, 10000), ended: make(chan error, 1)}
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), "suar", "serve", "--config", d.path("etc/suar.yaml"))
	p.cmd.Env = os.Environ()
	for name, value := range d.env {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	p.log.until(t, "msg=serving")
	return p
}

// terminate sends SIGTERM and wants it to end by itself, with code 0.
func (p *process) terminate(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		exit := new(exec.ExitError)
		if errors.As(err, &exit) || err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(guard):
		t.Fatal("it does not end")
	}
}

// TestEndInTheMiddle asks a hotline to end that is in the middle of everything:
// neither Telegram nor Mattermost answers any more. It ends all the same, while
// they still do not, and the next one delivers what is left.
func TestEndInTheMiddle(t *testing.T) {
	w := mattermosttest.StandIn(t)
	proxied, faults := w.Proxy()
	telegram := telegramtest.New(telegramtest.Options{})
	t.Cleanup(telegram.Close)
	d := newDeployment(t)
	d.file(t, "etc/secrets/mattermost", w.Bot.Token, 0o400)
	address, err := loopback.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	d.file(t, "etc/secrets/telegram", telegram.Token, 0o400)
	d.values["listen"], d.values["callback"] = address, "http://"+address
	d.values["url"], d.values["channel"], d.values["telegram_server"] = proxied, w.ChannelID, telegram.URL()
	d.write(t)

	hotline := d.spawn(t)
	wait, stop := context.WithTimeout(t.Context(), guard)
	defer stop()
	endangered := telegram.Person(2001)
	endangered.Start()
	if _, err := endangered.WaitButton(wait, "English"); err != nil {
		t.Fatal(err)
	}
	press := func(label string) {
		t.Helper()
		m, err := endangered.WaitButton(wait, label)
		if err != nil {
			t.Fatal(err)
		}
		if err := endangered.Press(label, m.ID); err != nil {
			t.Fatal(err)
		}
	}
	press("English")
	press("Contact the embassy")
	faults.Inject(standin.Fault{Method: http.MethodPost, Path: "/posts", Hang: true})
	press("Danger now")
	if _, err := endangered.WaitText(wait, "Sending the alert"); err != nil {
		t.Fatal(err)
	}
	stuck := make(chan struct{}, 1000)
	telegram.Fail("sendMessage", func(telegramtest.Call) *telegramtest.Failure {
		stuck <- struct{}{}
		return telegramtest.Slow(time.Hour)
	})
	var crowd []*telegramtest.Person
	for id := range int64(20) {
		p := telegram.Person(3000 + id)
		p.Start()
		crowd = append(crowd, p)
	}
	for range 4 {
		select {
		case <-stuck:
		case <-wait.Done():
			t.Fatal("nothing is under way")
		}
	}
	// Both are still silent when it has ended.
	hotline.terminate(t)

	telegram.Fail("sendMessage", nil)
	faults.Heal()
	hotline = d.spawn(t)
	for _, p := range crowd {
		if _, err := p.WaitButton(wait, "English"); err != nil {
			t.Fatalf("after the next start somebody is not answered: %v", err)
		}
	}
	if _, err := endangered.WaitText(wait, "A person has been alerted"); err != nil {
		t.Fatalf("after the next start no officer is alerted: %v", err)
	}
	hotline.terminate(t)
	if faults := telegram.Faults(); len(faults) > 0 {
		t.Errorf("Telegram complains: %s", strings.Join(faults, "\n"))
	}
}
