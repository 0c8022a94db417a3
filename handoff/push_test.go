package handoff

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/mattermosttest"
)

// A post office keeps the mails and the push notifications that a server sends.
type postOffice struct {
	mu     sync.Mutex
	mails  []string
	pushes []model.PushNotification
}

func (o *postOffice) all() (mails []string, pushes []model.PushNotification) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append(mails, o.mails...), append(pushes, o.pushes...)
}

// push returns the push notification about a post, if it came.
func (o *postOffice) push(post flows.PostID) (model.PushNotification, bool) {
	_, pushes := o.all()
	for _, p := range pushes {
		if p.PostId == string(post) {
			return p, true
		}
	}
	return model.PushNotification{}, false
}

// openPostOffice serves a push service and a mail server, and returns the settings by
// which a Mattermost uses them.
func openPostOffice(t *testing.T) (*postOffice, []mattermosttest.Setting) {
	t.Helper()
	o := &postOffice{}
	push := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var p model.PushNotification
		if json.NewDecoder(r.Body).Decode(&p) == nil && p.Type == model.PushTypeMessage {
			o.mu.Lock()
			o.pushes = append(o.pushes, p)
			o.mu.Unlock()
		}
		_, _ = io.WriteString(w, `{"status":"OK"}`)
	}))
	t.Cleanup(push.Close)
	mail, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mail.Close() })
	go func() {
		for {
			conn, err := mail.Accept()
			if err != nil {
				return
			}
			go o.takeMail(conn)
		}
	}()
	host, port, err := net.SplitHostPort(mail.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return o, []mattermosttest.Setting{
		{Name: "EmailSettings.SMTPServer", Value: host},
		{Name: "EmailSettings.SMTPPort", Value: port},
		{Name: "EmailSettings.FeedbackEmail", Value: "chat@example.test"},
		{Name: "EmailSettings.RequireEmailVerification", Value: "false"},
		{Name: "EmailSettings.SendPushNotifications", Value: "true"},
		{Name: "EmailSettings.PushNotificationServer", Value: push.URL},
	}
}

// takeMail speaks as much SMTP as it takes to be given a mail.
func (o *postOffice) takeMail(conn net.Conn) {
	defer conn.Close()
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	in := bufio.NewReader(conn)
	say("220 ready")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.TrimSpace(line)); {
		case strings.HasPrefix(verb, "DATA"):
			say("354 go on")
			var mail strings.Builder
			for line, err = in.ReadString('\n'); err == nil && line != ".\r\n"; line, err = in.ReadString('\n') {
				mail.WriteString(line)
			}
			o.mu.Lock()
			o.mails = append(o.mails, mail.String())
			o.mu.Unlock()
			say("250 kept")
		case strings.HasPrefix(verb, "QUIT"):
			say("221 bye")
			return
		default:
			say("250 well")
		}
	}
}

// What goes out of a server by push and by mail, for all that the bot posts. siti is
// on call and away, with a telephone; she has answered in the thread, so that she
// follows it.
type outgoing struct {
	*rig
	card, relay, page flows.PostID
	office            *postOffice
}

func sendAll(t *testing.T, settings ...mattermosttest.Setting) outgoing {
	t.Helper()
	office, all := openPostOffice(t)
	w := mattermosttest.Real(t, append(all, settings...)...)
	siti := w.Officers[0]
	if _, err := siti.Client().AttachDeviceProps(t.Context(), map[string]string{"device_id": "android_rn-v2:canary"}); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, w, func(c *Config) { c.Roster, c.OnCall = newRoster(t, alwaysSiti), nil })
	out := outgoing{rig: r, office: office, card: r.open(1)}
	w.Post(siti, string(out.card), "I am here")
	if _, _, err := w.Admin.Client().UpdateUserStatus(t.Context(), siti.ID, &model.Status{UserId: siti.ID, Status: model.StatusOffline, Manual: true}); err != nil {
		t.Fatal(err)
	}
	about := func(n int, ef flows.Effect) flows.PostID {
		return r.deliver(engine.Delivery{ID: id(n), Effect: ef, Thread: out.card, Card: card("K0001")}).Post
	}
	out.relay = about(2, flows.Relay{Label: "The person:", Text: spoken + " @siti @channel @all"})
	out.page = about(3, flows.Page{Level: 2, Text: "Nobody has answered yet.", Code: "K0001"})
	r.until("the push about the call is there", func() bool { _, ok := office.push(out.page); return ok })
	return out
}

const alwaysSiti = "version: 1\nzone: UTC\nofficers: [{name: siti, role: lead}]\nshifts: [{days: [mon, tue, wed, thu, fri, sat, sun], from: 00:00, to: 24:00, first: siti}]\n"

// TestPushAndMail: with the settings of docs/mattermost.md telephones ring, and
// neither the push service nor a mail gets a word of anybody or the channel's name.
func TestPushAndMail(t *testing.T) {
	out := sendAll(t,
		mattermosttest.Setting{Name: "EmailSettings.PushNotificationContents", Value: model.GenericNoChannelNotification},
		mattermosttest.Setting{Name: "EmailSettings.SendEmailNotifications", Value: "false"})
	mails, pushes := out.office.all()
	for _, m := range mails {
		t.Errorf("a mail went out: %q", m)
	}
	if len(pushes) < 2 {
		t.Errorf("%d push notifications", len(pushes))
	}
	for _, p := range pushes {
		raw := string(encode(t, p))
		for _, canary := range []string{spoken, "Hotline", "hotline", "DANGER", "Nobody has answered", "I am here"} {
			if strings.Contains(raw, canary) {
				t.Errorf("a push notification has %q: %s", canary, raw)
			}
		}
	}
}

// TestPushAndMailOtherwise shows why these settings are asked for: with the shipped
// ones a person's words go to the push service as soon as an officer follows the
// thread, and what mentions an officer goes out by mail.
func TestPushAndMailOtherwise(t *testing.T) {
	out := sendAll(t,
		mattermosttest.Setting{Name: "EmailSettings.PushNotificationContents", Value: model.FullNotification},
		mattermosttest.Setting{Name: "EmailSettings.SendEmailNotifications", Value: "true"})
	out.until("a mail has what was said", func() bool {
		mails, _ := out.office.all()
		return strings.Contains(strings.Join(mails, ""), spoken)
	})
	if p, ok := out.office.push(out.relay); !ok || !strings.Contains(p.Message, spoken) {
		t.Errorf("the push about what was said: %+v", p)
	}
	if p, ok := out.office.push(out.page); !ok || !strings.Contains(p.Message, "Nobody has answered") {
		t.Errorf("the push about the call: %+v", p)
	}
}
