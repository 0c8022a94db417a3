// Package handoff is the officers' side: cases as cards in a Mattermost
// channel, a thread for each, and what the officers do there as events.
//
// What Mattermost is trusted with, and what not, decides the shape. A request
// to our endpoint may come from anybody who reaches it, so a press proves
// itself ([Desk.ServeHTTP]). A post may have been made although no answer came,
// so a repeated delivery looks before it posts ([Desk.Deliver]). The websocket
// says nothing when its token is dead or when it skipped something, so the
// listener asks beside it and reads again what it may have missed ([Desk.Run]).
package handoff

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/handoff/roster"
	"suar/internal/engine"
	"suar/internal/secret"
)

// A Config is what a Desk is made of. URL, Token, Channel, CallbackURL, Key,
// Handler and Log must be there.
type Config struct {
	// URL is Mattermost's address, such as https://chat.example.org.
	URL string
	// Token is the access token of a bot account.
	Token secret.Secret
	// Channel is the officers' private channel: its id, or "team/channel" by
	// the names in its address.
	Channel string
	// CallbackURL is where Mattermost reaches ServeHTTP, without the paths that
	// it serves. It is stored in every card, so it must hold no secret.
	CallbackURL string
	// Key are 32 random bytes, the same in every process and after a restart:
	// buttons are signed with it, and posts known again.
	Key []byte
	// ServerKey is Mattermost's public key, AsymmetricSigningPublicKey of
	// /api/v4/config/client. Empty is the one that the server shows when the
	// process first reaches it; from then on no other is accepted.
	ServerKey string
	// OnCall are the user names that a card or a call mentions. Roster is the roster
	// of this moment, from which each call finds whom it is for; then OnCall counts
	// for nothing. It is nil without one.
	OnCall []string
	Roster func() *roster.Roster
	// Words are what an officer is told in answer to a press.
	Words Words
	// Say returns a text of the book for officers, with the values of its placeholders
	// in pairs: [flows.Book.OfficerText]. If nil it is the key and the values.
	Say func(key string, pairs ...string) string
	// RankAt is where a case stands in the queue: [flows.Book.RankAt]. If nil it is the
	// index's rank.
	RankAt func(i flows.Index, at time.Time) int
	// SlashToken is what Mattermost sends with the slash command; empty if there is
	// none.
	SlashToken secret.Secret
	// Status is how the hotline does, for an officer who asks: [engine.Engine.Status].
	// It may be nil.
	Status func(ctx context.Context) (engine.Status, error)
	// Changes are what leads changed of the duty, which Roster holds already, and
	// ChangeDuty keeps what a function makes of them; an error of the function is
	// returned as it is. nil where there is no roster.
	Changes    func() []roster.Change
	ChangeDuty func(ctx context.Context, change func([]roster.Change) ([]roster.Change, error)) error
	// Board says that the process that listens keeps a pinned post of who is on duty
	// and which cases wait.
	Board bool
	// BoardPause is the least time between two edits of that post; zero is 5 s.
	BoardPause time.Duration

	Handler engine.Handler
	// Log gets kinds, counts and statuses; never an id, a name or a word of
	// anybody.
	Log *slog.Logger
	// Now is the clock; nil is the system's.
	Now func() time.Time
	// Transport carries the requests; nil is one of our own. The websocket takes
	// its dialler, proxy and TLS settings if it is an *http.Transport.
	Transport http.RoundTripper
	// Hold, where several processes run, is how this one takes the right to
	// listen for so long from now, prolongs it, and gives it up with 0:
	// [engine.Engine.Hold]. nil says that there is no other.
	Hold func(ctx context.Context, life time.Duration) error
	// Media returns what is kept under a name, or engine.ErrNoMedia:
	// [engine.Engine.Media]. If nil, nothing is.
	Media func(ctx context.Context, conversation string, id flows.MediaID) ([]byte, error)
	// Typing takes that an officer types under a card, thread its root post. It says
	// nothing of what; if nil, nobody wants to know.
	Typing func(ctx context.Context, thread flows.PostID, officer flows.Officer) error
	// Form returns what an action asks an officer for, as the case is now:
	// [engine.Engine.Form]. If nil, no action has a form.
	Form func(ctx context.Context, q engine.FormFor) (flows.Form, error)
	// Audit notes in the trail what is of no conversation's step, and AuditHead is the
	// trail's end for a witness, "" while it is empty: [engine.Engine.Audit] and
	// AuditHead. nil is no trail.
	Audit     func(ctx context.Context, id string, a flows.Audit) error
	AuditHead func(ctx context.Context) (string, error)
	// Pack seals a referral to a partner's key: seal.Packet. If nil, nothing can be
	// referred.
	Pack func(recipient string, content []byte) ([]byte, error)
	// Restored is when the store was made of a backup, zero if it was not:
	// [engine.Engine.Restored]. What was written before, and handed over to the
	// store that is lost, is not handed over as new again.
	Restored time.Time
	// Random spreads pauses: numbers in [0,1); nil is math/rand/v2.
	Random func() float64
	// Pace is how many actions a second an officer may do in the long run, ten
	// seconds' worth of them at once; zero is two. A press beyond is refused, a post
	// in a thread comes later.
	Pace float64
	// Heartbeat is how often the listener asks whether it still hears; zero is
	// 15 s.
	Heartbeat time.Duration
}

// Words are the answers to a press that changes nothing, in the officers'
// language. An empty one is its English default.
type Words struct {
	// Refused is the one answer to whatever is not a press of ours by an
	// officer, and to a stale one.
	Refused string
	// Unknown says that the card's case is no more.
	Unknown string
	// Again says that the press could not be recorded now.
	Again string
	// Witness stands before the end of the trail of what officers did.
	Witness string
	// Slow says that the officer pressed too often in a short time.
	Slow string
	// Outsider stands behind the name of somebody who wrote under a card and is no
	// officer.
	Outsider string
	// Changed says that the case has changed since a form was opened, NotOfficer
	// that who was chosen in one is no officer.
	Changed, NotOfficer string
	// Called stands before a case's code in the direct message of a call.
	Called string
}

func (w Words) withDefaults() Words {
	word := func(s *string, d string) {
		if *s == "" {
			*s = d
		}
	}
	word(&w.Refused, "This cannot be done. Only members of the channel can, with the buttons of a card that is not old.")
	word(&w.Unknown, "This case is no longer kept.")
	word(&w.Called, "You are called to a case. Open the officers' channel:")
	word(&w.Witness, "What the officers did is noted up to here (suar audit verify --witness compares; keep a copy elsewhere now and then):")
	word(&w.Slow, "That is a lot at once. Nothing was done; please wait a few seconds and press again.")
	word(&w.Outsider, "is not on the roster, so this was not passed on to the person and not recorded. Whoever signs the roster can add the name; then write it again.")
	word(&w.Changed, "This case has changed since the form was opened. Nothing was recorded. Please open it again.")
	word(&w.NotOfficer, "This is not an officer of this channel now.")
	word(&w.Again, "This was not recorded. Please try again in a moment.")
	return w
}

// A Desk is the officers' side. Its methods may be called from several
// goroutines, Run only once.
type Desk struct {
	Config
	client          *model.Client4
	spent           spent // presses
	told            spent // who was told in which thread to be no officer
	presses, posts  pace  // of each officer
	refusals, waits tally // of presses, and of posts that wait for the engine
	refused         atomic.Int64
	began           time.Time // of the listening
	index           *index
	boardFaults     tally
	trail           trail
	instance        string // no other process has it

	mu        sync.Mutex
	place     *place
	fault     error
	listening bool
}

// A place is what the configuration's names mean on the server.
type place struct {
	bot, channel string
	key          *ecdsa.PublicKey
}

// New returns a Desk. It does not reach out: Check says whether the
// configuration is right, and Run keeps trying where it is not.
func New(c Config) (*Desk, error) {
	var faults []error
	need := func(ok bool, what string) {
		if !ok {
			faults = append(faults, errors.New("handoff: "+what))
		}
	}
	need(isHTTP(c.URL), "URL is not an http address")
	need(!c.Token.Empty(), "Token is missing")
	need(model.IsValidId(c.Channel) || strings.Count(c.Channel, "/") == 1, "Channel is neither an id nor team/channel")
	need(isHTTP(c.CallbackURL), "CallbackURL is not an http address")
	need(len(c.Key) == 32, "Key is not 32 bytes")
	need(c.Pace == 0 || c.Pace >= 0.1, "Pace is less than an action in ten seconds")
	need(c.Handler != nil, "Handler is missing")
	need(c.Log != nil, "Log is missing")
	for _, name := range c.OnCall {
		need(model.IsValidUsername(name), "OnCall holds what is no user name")
	}
	if c.ServerKey != "" {
		if _, err := parseServerKey(c.ServerKey); err != nil {
			faults = append(faults, err)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	c.URL, c.CallbackURL = strings.TrimRight(c.URL, "/"), strings.TrimRight(c.CallbackURL, "/")
	c.Words = c.Words.withDefaults()
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Transport == nil {
		c.Transport = newTransport()
	}
	if c.Random == nil {
		c.Random = mathrand.Float64
	}
	if c.Pace <= 0 {
		c.Pace = defaultPace
	}
	if c.Heartbeat <= 0 {
		c.Heartbeat = 15 * time.Second
	}
	if c.BoardPause <= 0 {
		c.BoardPause = 5 * time.Second
	}
	d := &Desk{Config: c, client: model.NewAPIv4Client(c.URL), fault: errNotYet, index: newIndex(), instance: rand.Text()}
	d.client.SetToken(c.Token.Reveal())
	d.client.HTTPClient = &http.Client{
		Transport: bounded{c.Transport},
		Timeout:   requestTimeout,
		// The token must not follow a redirect, and none is expected.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return d, nil
}

// say is a text for officers.
func (d *Desk) say(key string, pairs ...string) string {
	if d.Say == nil {
		return strings.Join(append([]string{key}, pairs...), " ")
	}
	return d.Say(key, pairs...)
}

func isHTTP(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

const (
	requestTimeout = 25 * time.Second
	// maxAnswer is far more than 200 posts of the greatest length need.
	maxAnswer = 64 << 20
)

// newTransport keeps as many connections as deliveries run at once.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 32,
		IdleConnTimeout:     90 * time.Second,
	}
}

// bounded keeps an answer from filling the memory.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	return resp, nil
}

// where returns the bot's and the channel's ids and the server's key, asking
// the server until it answered once.
func (d *Desk) where(ctx context.Context) (place, error) {
	d.mu.Lock()
	known := d.place
	d.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	me, resp, err := d.client.GetMe(ctx, "")
	if err != nil {
		return place{}, failed(resp, err)
	}
	p := place{bot: me.Id, channel: d.Channel}
	if team, name, ok := strings.Cut(d.Channel, "/"); ok {
		channel, resp, err := d.client.GetChannelByNameForTeamName(ctx, name, team, "")
		if err != nil {
			return place{}, failed(resp, err)
		}
		p.channel = channel.Id
	}
	pinned := d.ServerKey
	if pinned == "" {
		config, resp, err := d.client.GetClientConfig(ctx, "")
		if err != nil {
			return place{}, failed(resp, err)
		}
		pinned = config["AsymmetricSigningPublicKey"]
	}
	if p.key, err = parseServerKey(pinned); err != nil {
		return place{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.place == nil { // another caller may have pinned a key meanwhile
		d.place = &p
	}
	return *d.place, nil
}

// errNotYet is why the officers' side is not reached before Run reached it.
var errNotYet = errors.New("handoff: not connected yet")

// Fault is why nothing is heard from the officers at this moment, nil while the
// listener hears or another process listens. It names a status only.
func (d *Desk) Fault() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.fault
}

// setFault records how the listener is, and logs a change.
func (d *Desk) setFault(err error) {
	d.mu.Lock()
	before := d.fault
	d.fault = err
	listening := d.listening
	d.mu.Unlock()
	switch {
	case err == nil && before != nil && listening:
		d.Log.Info("listening to Mattermost")
	case err != nil && (before == nil || before.Error() != err.Error()):
		d.Log.Error("not listening to Mattermost", "fault", err.Error())
	}
}

func (d *Desk) setListening(is bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listening = is
	if is {
		d.fault = errNotYet
	}
}

// spread is a random part of a pause.
func (d *Desk) spread(pause time.Duration) time.Duration {
	return time.Duration(float64(pause) * d.Random())
}

// A faultError is a request that Mattermost did not fulfil, without any of its
// words.
type faultError struct {
	status int
	err    error
}

func (f *faultError) Error() string {
	if f.status == 0 {
		return "handoff: Mattermost does not answer"
	}
	return fmt.Sprintf("handoff: Mattermost answers with status %d", f.status)
}

func (f *faultError) Unwrap() error { return f.err }

// failed keeps of an answer what may be told: the client's own errors hold
// whole bodies, and ids in addresses.
func failed(resp *model.Response, err error) error {
	f := &faultError{err: err}
	if resp != nil {
		f.status = resp.StatusCode
	}
	return f
}
