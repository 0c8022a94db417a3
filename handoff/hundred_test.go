package handoff

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/mattermosttest"
)

// These tests list the ways in which somebody may come who may not: a hundred for an
// outsider, for an officer who was removed, and for a forged request. Each way is
// tried on a real server, or at the endpoint itself, and comes to nothing.

// spoken is what is said in the case's thread; nobody else may read it.
const spoken = "canary-of-what-was-said"

// A way in is tried by do, which returns the HTTP status that it got and, if that is
// of interest, the body. A server's own refusal is a status of 400 or more. What
// reaches our endpoint must be answered with the one refusal.
type way struct {
	name string
	do   func() (status int, body string)
	// may says that the server takes it, and that nothing may come of it.
	may bool
}

// A siege is a desk with a case, and what came out of its endpoint.
type siege struct {
	*rig
	root    flows.PostID
	screen  *mattermosttest.Screen // siti's
	dialog  *model.OpenDialogRequest
	genuine map[string]map[string]any // the contexts of the card's buttons
	square  string                    // a public channel

	mu sync.Mutex
	// answers are what the endpoint answered, closed whether requests are only kept.
	answers []string
	closed  bool
	kept    []byte
}

// besiege opens a case in which siti has asked to close it.
func besiege(t *testing.T, options ...func(*Config)) *siege {
	t.Helper()
	w := mattermosttest.Real(t)
	s := &siege{rig: newRig(t, w, options...), genuine: map[string]map[string]any{}}
	s.wrap(s.watched)
	s.run()
	s.root = s.open(1)
	s.deliver(engine.Delivery{ID: id(2), Effect: flows.Relay{Text: spoken}, Thread: s.root})
	for name, action := range map[string]string{"Claim": "claim", "Close": "close"} {
		s.genuine[name] = s.contextOf(action)
	}
	s.genuine["menu"] = s.contextOf(menuID)
	s.genuine["menu"]["selected_option"] = "look"
	siti := w.Officers[0]
	s.screen = w.Watch(siti)
	w.Press(siti, string(s.root), "Close")
	s.dialog = s.screen.Dialog()
	ch, _, err := w.Admin.Client().GetChannelByName(t.Context(), "town-square", w.TeamID, "")
	if err != nil {
		t.Fatal(err)
	}
	s.square = ch.Id
	return s
}

// contextOf is what a button of the card carries, which Mattermost shows to nobody:
// as if it had come out all the same.
func (s *siege) contextOf(action string) map[string]any {
	s.t.Helper()
	dl := deliveryOf(1)
	dl.Conversation = "blind"
	for _, a := range s.attachments(dl)[0].Actions {
		if a.Id == action {
			return decodeMap(s.t, encode(s.t, a.Integration.Context))
		}
	}
	s.t.Fatalf("the card has no action %q", action)
	return nil
}

func decodeMap(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// watched keeps what the endpoint answers.
func (s *siege) watched(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		closed := s.closed
		s.kept = body
		s.mu.Unlock()
		if closed {
			_, _ = w.Write([]byte("{}"))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer := &recorder{ResponseWriter: w}
		next.ServeHTTP(answer, r)
		s.mu.Lock()
		s.answers = append(s.answers, answer.body.String())
		s.mu.Unlock()
	})
}

type recorder struct {
	http.ResponseWriter
	body bytes.Buffer
}

func (r *recorder) Write(b []byte) (int, error) {
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}

// held returns a genuine request as the server sends it, which the desk did not get.
func (s *siege) held(do func()) model.PostActionIntegrationRequest {
	s.t.Helper()
	s.mu.Lock()
	s.closed, s.kept = true, nil
	s.mu.Unlock()
	do()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = false
	var p model.PostActionIntegrationRequest
	if err := json.Unmarshal(s.kept, &p); err != nil {
		s.t.Fatalf("no press was held: %v", err)
	}
	return p
}

// call sends a request to the server's API.
func (s *siege) call(token, method, path string, body any) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.w.URL+"/api/v4"+path, bytes.NewReader(encode(s.t, body)))
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// ownCard has somebody post a card of their own to our endpoint, with a button that
// carries a context, and press it: the server then vouches for who pressed.
func (s *siege) ownCard(as mattermosttest.Account, channel string, context map[string]any) (int, string) {
	s.t.Helper()
	post := &model.Post{ChannelId: channel, Message: "own"}
	post.AddProp(model.PostPropsAttachments, []*model.MessageAttachment{{Text: "own", Actions: []*model.PostAction{{
		Id: "own", Name: "own", Type: model.PostActionTypeButton,
		Integration: &model.PostActionIntegration{URL: s.CallbackURL + actionPath, Context: context},
	}}}})
	status, body := s.call(as.Token, http.MethodPost, "/posts", post)
	if status != http.StatusCreated {
		return status, ""
	}
	var made model.Post
	if err := json.Unmarshal([]byte(body), &made); err != nil {
		s.t.Fatal(err)
	}
	return s.call(as.Token, http.MethodPost, "/posts/"+made.Id+"/actions/own", map[string]any{})
}

// press sends a press to the endpoint itself.
func (s *siege) direct(path string, body any) (int, string) {
	s.t.Helper()
	return s.send(http.MethodPost, path, encode(s.t, body))
}

// events counts all that was handed over.
func (s *siege) events() int {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	n := 0
	for _, all := range s.ledger.events {
		n += len(all)
	}
	return n
}

// told returns what the bot said since, in the case's thread, as root posts, and to
// somebody directly.
func (s *siege) told(with ...mattermosttest.Account) []string {
	s.t.Helper()
	var out []string
	for _, p := range append(s.w.Roots(), s.w.Thread(string(s.root))...) {
		if p.UserId == s.w.Bot.ID {
			out = append(out, p.Message)
		}
	}
	for _, a := range with {
		for _, p := range s.w.Direct(s.w.Bot, a) {
			if p.UserId == s.w.Bot.ID {
				out = append(out, p.Message)
			}
		}
	}
	return out
}

// try is siege of a hundred ways.
func (s *siege) try(t *testing.T, ways []way, allowed func(line string) bool, with ...mattermosttest.Account) {
	t.Helper()
	s.siege(t, ways, 100, allowed, with...)
}

// siege tries the ways one after the other, and says what is wrong. allowed says
// which lines of the bot's are right.
func (s *siege) siege(t *testing.T, ways []way, least int, allowed func(line string) bool, with ...mattermosttest.Account) {
	t.Helper()
	names := map[string]bool{}
	for _, w := range ways {
		if names[w.name] {
			t.Errorf("the way %q is listed twice", w.name)
		}
		names[w.name] = true
	}
	if len(ways) < least {
		t.Errorf("%d ways are listed, want %d at least", len(ways), least)
	}
	before := s.told(with...)
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			s.mu.Lock()
			answered := len(s.answers)
			s.mu.Unlock()
			events := s.events()
			status, body := w.do()
			s.mu.Lock()
			answers := s.answers[answered:]
			s.mu.Unlock()
			for _, text := range answers {
				var answer struct {
					Ephemeral string `json:"ephemeral_text"`
					Error     string `json:"error"`
				}
				// What is no request of ours learns as little.
				if w.may && (text == "POST only\n" || text == "404 page not found\n") {
					continue
				}
				if json.Unmarshal([]byte(text), &answer) != nil || answer.Ephemeral+answer.Error != s.Words.Refused {
					t.Errorf("the endpoint answers %q, want the one refusal", text)
				}
			}
			if len(answers) == 0 && !w.may && status < 400 {
				t.Errorf("status %d, want a refusal", status)
			}
			if strings.Contains(body, spoken) {
				t.Error("what was said is read")
			}
			if n := s.events() - events; n != 0 {
				t.Errorf("%d events came of it", n)
			}
		})
	}
	// What was written comes through the socket, in its order: after all of it siti
	// writes, and that alone is handed over.
	n := s.events()
	s.w.Post(s.w.Officers[0], string(s.root), "the last word")
	s.until("the last word is handed over", func() bool { return s.events() > n })
	if s.events() != n+1 {
		t.Errorf("%d events came of what was written", s.events()-n-1)
	}
	after := s.told(with...)
	for _, line := range before {
		after = cut(after, line)
	}
	for _, line := range after {
		if allowed == nil || !allowed(line) {
			t.Errorf("the bot said %q", line)
		}
	}
	// The genuine press still does what it should, so that it was not the desk that
	// was out of order.
	s.w.Press(s.w.Officers[0], string(s.root), "Claim")
	s.until("a genuine press is taken", func() bool { return s.events() == n+2 })
	t.Logf("%d ways were tried", len(ways))
}

// cut returns the lines without one that is the given one.
func cut(lines []string, line string) []string {
	for i, l := range lines {
		if l == line {
			return append(append([]string{}, lines[:i]...), lines[i+1:]...)
		}
	}
	return lines
}

func named(format string, args ...any) string { return fmt.Sprintf(format, args...) }
