package handoff

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/mattermosttest"
)

func TestOpenPostsTheCard(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		done := r.deliver(engine.Delivery{ID: id(1), Effect: flows.Open{}, Card: card("K0001"), Witness: "#3·0a1b2c3d4e5f6071"})
		post := w.Roots()[0]
		if post.Id != string(done.Post) {
			t.Fatalf("Delivered names %q, want the root post", done.Post)
		}
		if want := "**DANGER K0001** @siti"; post.Message != want {
			t.Errorf("message %q, want %q", post.Message, want)
		}
		if post.GetProp("unsafe_links") != "true" || post.GetProp(propKey) == nil {
			t.Errorf("props %v", post.GetProps())
		}
		if post.Metadata == nil || post.Metadata.Priority == nil || *post.Metadata.Priority.Priority != "urgent" {
			t.Error("the card is not urgent")
		}
		a := post.Attachments()[0]
		got := []string{a.Color, a.Footer, a.Fields[0].Title, a.Fields[0].Value.(string), a.Actions[0].Name, a.Actions[1].Name}
		want := []string{"#c62828", "#3·0a1b2c3d4e5f6071", "Language", "Indonesian", "Claim", "Close"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("card (-want +got):\n%s", diff)
		}
	})
}

func TestUpdateChangesTheCardInPlace(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		key := w.Roots()[0].GetProp(propKey)
		c := card("K0001")
		c.Title, c.Tone, c.Actions, c.Menu = "Closed K0001", flows.ToneClosed, nil, nil
		r.deliver(engine.Delivery{ID: id(2), Thread: root, Effect: flows.Update{}, Card: c, Witness: "#9"})
		post := w.Roots()[0]
		if post.Message != "**Closed K0001**" || post.Attachments()[0].Footer != "#9" || len(post.Attachments()[0].Actions) != 0 {
			t.Errorf("card %q %+v", post.Message, post.Attachments()[0])
		}
		if post.GetProp(propKey) != key || post.GetProp("unsafe_links") != "true" || post.GetProp("from_bot") != "true" {
			t.Errorf("props %v", post.GetProps())
		}
	})
}

func TestRelayQuotesThePerson(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		done := r.deliver(engine.Delivery{ID: id(2), Thread: root, Effect: flows.Relay{Label: "Orang", Text: "halo @channel\x00"}})
		label := r.deliver(engine.Delivery{ID: id(3), Thread: root, Effect: flows.Relay{Label: "Hanya label"}})
		if got, want := r.message(done.Post), "**Orang**\n> \u2060halo @\u2060channel"; got != want {
			t.Errorf("relayed %q, want %q", got, want)
		}
		if got, want := r.message(label.Post), "**Hanya label**"; got != want {
			t.Errorf("relayed %q, want %q", got, want)
		}
	})
}

func TestLongTextIsSplit(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		text := strings.Repeat("*", 20_000)
		dl := engine.Delivery{ID: id(2), Thread: root, Effect: flows.Relay{Label: "Orang", Text: text}}
		first := r.deliver(dl)
		if n := len(w.Thread(string(root))); n != 4 {
			t.Fatalf("%d posts, want the card and three", n)
		}
		keys, err := r.keysInThread(t.Context(), *r.place, root)
		if err != nil {
			t.Fatal(err)
		}
		read := ""
		for i := range 3 {
			read += Shown(strings.TrimPrefix(r.message(keys[r.relayKey(dl.ID, i)]), "**Orang**\n"))
		}
		if read != text {
			t.Error("the parts are not the text")
		}
		// The middle part is lost, as if the process had died; so must nothing
		// else be posted again.
		w.Delete(w.Bot, string(keys[r.relayKey(dl.ID, 1)]))
		w.Restart() // the server remembers a pending id for 30 s
		dl.Tries = 2
		if again := r.deliver(dl); again.Post != first.Post {
			t.Errorf("the repeated delivery names %q, want %q", again.Post, first.Post)
		}
		if n := len(w.Thread(string(root))); n != 4 {
			t.Errorf("%d posts after the repetition, want 4", n)
		}
	})
}

func TestPageMentionsWhoIsOnCall(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w, func(c *Config) { c.OnCall = []string{"rina", "budi", "rina"} })
		root := r.open(1)
		r.deliver(engine.Delivery{ID: id(2), Thread: root, Effect: flows.Page{Level: 1, Text: "Nobody has answered"}})
		if got, want := w.Thread(string(root))[1].Message, "@budi @rina Nobody has answered"; got != want {
			t.Errorf("call %q, want %q", got, want)
		}
	})
}

func TestMarkKeepsOneSign(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		post := w.Post(w.Officers[0], string(root), "hello")
		w.React(w.Officers[1], post.Id, "x")
		for i, step := range []struct {
			sign flows.Sign
			want string
		}{
			{flows.SignHeld, "hourglass_flowing_sand"},
			{flows.SignSent, "white_check_mark"},
			{flows.SignSent, "white_check_mark"},
			{flows.SignNote, "lock"},
			{flows.SignFailed, "x"},
			{flows.SignDoubt, "question"},
		} {
			r.deliver(engine.Delivery{ID: id(2 + i), Thread: root, Effect: flows.Mark{Post: flows.PostID(post.Id), Sign: step.sign}})
			if diff := cmp.Diff([]string{"budi: x", "suar: " + step.want}, w.Reactions(post.Id)); diff != "" {
				t.Errorf("after %s (-want +got):\n%s", step.sign, diff)
			}
		}
	})
}

// TestNothingTwice repeats deliveries as after a crash between the post and
// its record, long after the server forgot the pending id: it is restarted in
// between.
func TestNothingTwice(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		first := r.deliver(engine.Delivery{ID: id(1), Effect: flows.Open{}, Card: card("K0001")})
		relay := engine.Delivery{ID: id(2), Thread: first.Post, Effect: flows.Relay{Text: "halo"}}
		said := r.deliver(relay)
		page := engine.Delivery{ID: id(3), Thread: first.Post, Effect: flows.Page{Level: 1, Text: "come"}}
		called := r.deliver(page)
		for i := range pageSize + 5 { // more than a page of others
			w.Post(w.Officers[i%3], string(first.Post), "reply")
		}
		w.Kill()
		w.Start()
		other := newRig(t, w) // another process with the same key
		for _, x := range []struct {
			dl   engine.Delivery
			want flows.PostID
		}{{engine.Delivery{ID: id(1), Effect: flows.Open{}, Card: card("K0001")}, first.Post}, {relay, said.Post}, {page, called.Post}} {
			x.dl.Tries = 2
			if got := other.deliver(x.dl); got.Post != x.want {
				t.Errorf("%T again names another post", x.dl.Effect)
			}
		}
		if n := len(w.Roots()); n != 1 {
			t.Errorf("%d cards, want 1", n)
		}
		if n := len(w.Thread(string(first.Post))); n != pageSize+8 {
			t.Errorf("%d posts in the thread, want %d", n, pageSize+8)
		}
	})
}

// swallow lets requests through and loses the answers to posts.
type swallow struct{ lost atomic.Int32 }

func (s *swallow) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/posts") {
		_ = resp.Body.Close()
		s.lost.Add(1)
		return nil, errors.New("the answer is lost")
	}
	return resp, err
}

func TestLostAnswer(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		lossy := newRig(t, w, func(c *Config) { c.Transport = &swallow{} })
		dl := engine.Delivery{ID: id(1), Conversation: "blind", Effect: flows.Open{}, Card: card("K0001"), Tries: 1}
		_, err := lossy.Deliver(t.Context(), dl)
		var f *engine.Failure
		if !errors.As(err, &f) || f.Final || !f.Perhaps {
			t.Fatalf("Deliver: %v, want a failure that may have succeeded", err)
		}
		dl.Tries = 2
		newRig(t, w).deliver(dl)
		if n := len(w.Roots()); n != 1 {
			t.Errorf("%d cards, want 1", n)
		}
	})
}

func TestGoneAndForeign(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		post := w.Post(w.Officers[0], string(root), "hello")
		w.Delete(w.Officers[0], post.Id)
		w.Delete(w.Admin, string(root))
		for _, dl := range []engine.Delivery{
			{ID: id(2), Thread: root, Effect: flows.Relay{Text: "halo"}, Tries: 1},
			{ID: id(3), Thread: root, Effect: flows.Relay{Text: "halo"}, Tries: 2},
			{ID: id(4), Thread: root, Effect: flows.Update{}, Card: card("K0001"), Tries: 1},
			{ID: id(7), Effect: flows.Relay{Text: "halo"}, Tries: 1}, // it has no thread
			{ID: id(5), Thread: root, Effect: flows.Mark{Post: flows.PostID(post.Id), Sign: flows.SignSent}, Tries: 1},
		} {
			_, err := r.Deliver(t.Context(), dl)
			var f *engine.Failure
			if !errors.As(err, &f) || !f.Final || f.Reason != flows.ReasonGone {
				t.Errorf("%T, try %d: %v, want that it is gone", dl.Effect, dl.Tries, err)
			}
		}

		// Somebody guessed the pending id: his post is not taken for ours.
		dl := engine.Delivery{ID: id(6), Conversation: "blind", Effect: flows.Open{}, Card: card("K0002"), Tries: 1}
		_, _, err := w.Officers[0].Client().CreatePost(t.Context(), &model.Post{
			ChannelId: w.ChannelID, Message: "foreign", PendingPostId: r.pendingID(dl.ID, 0),
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Deliver(t.Context(), dl); !errors.Is(err, errForeign) {
			t.Errorf("Deliver: %v, want %v", err, errForeign)
		}
	})
}

// TestCardGone: whatever comes for a case whose card an administrator deleted,
// in whichever way and however late, is final and says that it is gone.
func TestCardGone(t *testing.T) {
	for how, remove := range map[string]func(w *mattermosttest.World, post string) error{
		"deleted": func(w *mattermosttest.World, post string) error {
			_, err := w.Admin.Client().DeletePost(t.Context(), post)
			return err
		},
		"permanently": func(w *mattermosttest.World, post string) error {
			_, err := w.Admin.Client().PermanentDeletePost(t.Context(), post)
			return err
		},
	} {
		t.Run(how, func(t *testing.T) {
			onEach(t, func(t *testing.T, w *mattermosttest.World) {
				r := newRig(t, w)
				root := r.open(1)
				reply := r.deliver(engine.Delivery{ID: id(2), Thread: root, Effect: flows.Relay{Text: "halo"}})
				if err := remove(w, string(root)); err != nil {
					t.Fatal(err)
				}
				n := 10
				for _, effect := range []flows.Effect{
					flows.Update{}, flows.Page{Level: 1, Text: "come"}, flows.Relay{Text: "halo"}, flows.Tell{Text: "halo"},
				} {
					for tries := 1; tries <= 3; tries++ {
						n++
						dl := engine.Delivery{ID: id(n), Conversation: "blind", Thread: root, Effect: effect, Card: card("K0001"), Tries: tries}
						_, err := r.Deliver(t.Context(), dl)
						var f *engine.Failure
						if !errors.As(err, &f) || !f.Final || f.Reason != flows.ReasonGone || f.Perhaps {
							t.Errorf("%T, try %d: %v (%v), want that it is gone", effect, tries, err, errors.Unwrap(err))
						}
					}
				}
				// The sign on a post that went with it.
				_, err := r.Deliver(t.Context(), engine.Delivery{ID: id(n + 1), Thread: root, Effect: flows.Mark{Post: reply.Post, Sign: flows.SignSent}, Tries: 1})
				var f *engine.Failure
				if !errors.As(err, &f) || !f.Final {
					t.Errorf("Mark: %v, want a final failure", err)
				}
				// A new card is made, and not the old one found.
				again := r.deliver(engine.Delivery{ID: id(n + 2), Effect: flows.Open{}, Card: card("K0001")})
				if again.Post == root || again.Post == "" {
					t.Errorf("the new card is %q", again.Post)
				}
			})
		})
	}
}

// interpose does something before the first request of a method and a path's
// end.
type interpose struct {
	method, suffix string
	before         func()
	once           sync.Once
}

func (i *interpose) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == i.method && strings.HasSuffix(r.URL.Path, i.suffix) {
		i.once.Do(i.before)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestCardDeletedMeanwhile: the card goes between our reading and changing it.
func TestCardDeletedMeanwhile(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		var root flows.PostID
		r := newRig(t, w, func(c *Config) {
			c.Transport = &interpose{method: http.MethodPut, suffix: "/patch", before: func() { w.Delete(w.Admin, string(root)) }}
		})
		root = r.open(1)
		_, err := r.Deliver(t.Context(), engine.Delivery{ID: id(2), Thread: root, Effect: flows.Update{}, Card: card("K0001"), Tries: 1})
		var f *engine.Failure
		if !errors.As(err, &f) || !f.Final || f.Reason != flows.ReasonGone {
			t.Errorf("Update: %v, want that it is gone", err)
		}
	})
}

// TestCardThatIsThere: what Mattermost says of a thread that is not there, it
// says as well when its database fails.
func TestCardThatIsThere(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = w.Write([]byte(`{"id":"root"}`))
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"id":"api.post.create_post.root_id.app_error","status_code":400}`))
	}))
	defer server.Close()
	w := &mattermosttest.World{URL: server.URL, ChannelID: model.NewId()}
	w.Bot.Token, w.Officers = "canary-token", []mattermosttest.Account{{Username: "siti"}}
	r := newRig(t, w)
	r.Desk.place = &place{bot: model.NewId(), channel: w.ChannelID}
	_, err := r.Deliver(t.Context(), engine.Delivery{ID: id(1), Thread: flows.PostID(model.NewId()), Effect: flows.Relay{Text: "halo"}, Tries: 1})
	var f *engine.Failure
	if !errors.As(err, &f) || f.Final || f.After == 0 {
		t.Errorf("Relay: %v, want that it is tried again", err)
	}
}

// TestMissingRights: a sign or a change of the card that the roles do not allow
// holds up nothing, and Check says what is missing.
func TestMissingRights(t *testing.T) {
	w := mattermosttest.Real(t)
	r := newRig(t, w)
	root := r.open(1)
	post := w.Post(w.Officers[0], string(root), "hello")
	setRights(t, w, "channel_user", "read_channel", "read_channel_content", "create_post", "remove_reaction")
	for i, effect := range []flows.Effect{flows.Mark{Post: flows.PostID(post.Id), Sign: flows.SignSent}, flows.Update{}} {
		_, err := r.Deliver(t.Context(), engine.Delivery{ID: id(2 + i), Thread: root, Effect: effect, Card: card("K0001"), Tries: 1})
		var f *engine.Failure
		if !errors.As(err, &f) || !f.Final || f.Reason != flows.ReasonRejected || f.Status != http.StatusForbidden {
			t.Errorf("%T: %v, want that it is refused for good", effect, err)
		}
	}
	r.deliver(engine.Delivery{ID: id(9), Thread: root, Effect: flows.Relay{Text: "halo"}})
	faults := r.Check(t.Context())
	if len(faults) != 1 || !faults[0].Grave || faults[0].What != "The bot may not do what it must: edit_post, add_reaction." {
		t.Errorf("faults %v", faults)
	}
	// Mattermost's own roles allow much.
	setRights(t, w, "channel_user", "read_channel", "read_channel_content", "create_post", "edit_post", "add_reaction", "remove_reaction",
		"use_channel_mentions", "manage_private_channel_members", "get_public_link")
	want := "The bot, and with it every officer, may do more than the hotline needs: manage_private_channel_members, use_channel_mentions, get_public_link."
	faults = r.Check(t.Context())
	if len(faults) != 1 || faults[0].Grave || faults[0].What != want {
		t.Errorf("faults %v", faults)
	}
	// To call the officers of a roster directly is a right of its own; without it they
	// are called in the thread all the same.
	setRights(t, w, "system_user", "view_members")
	called := newRig(t, w, func(c *Config) { c.Roster, c.OnCall = newRoster(t, hours), nil })
	called.deliver(engine.Delivery{ID: id(10), Thread: root, Effect: flows.Page{Level: 5, Code: "K7QM-2RTX", Text: "It waits."}})
	if !strings.Contains(called.log.String(), "failed=3 called=3") {
		t.Errorf("log %s", called.log)
	}
	faults = called.Check(t.Context())
	if len(faults) != 2 || !faults[0].Grave || faults[0].What != "The bot may not do what it must: create_direct_channel." {
		t.Errorf("faults %v", faults)
	}
}

// setRights makes a role keep these permissions and no others.
func setRights(t *testing.T, w *mattermosttest.World, role string, rights ...string) {
	t.Helper()
	c := w.Admin.Client()
	r, _, err := c.GetRoleByName(t.Context(), role)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.PatchRole(t.Context(), r.Id, &model.RolePatch{Permissions: &rights}); err != nil {
		t.Fatal(err)
	}
}

// TestArchivedChannel: what cannot be posted now waits until the channel is
// restored.
func TestArchivedChannel(t *testing.T) {
	w := mattermosttest.Real(t)
	r := newRig(t, w)
	root := r.open(1)
	c := w.Admin.Client()
	if _, err := c.DeleteChannel(t.Context(), w.ChannelID); err != nil {
		t.Fatal(err)
	}
	dl := engine.Delivery{ID: id(2), Conversation: "blind", Thread: root, Effect: flows.Relay{Text: "halo"}, Tries: 1}
	_, err := r.Deliver(t.Context(), dl)
	var f *engine.Failure
	if !errors.As(err, &f) || f.Final || f.After != afterRefusal {
		t.Errorf("Relay: %v, want that it is tried again", err)
	}
	if _, _, err := c.RestoreChannel(t.Context(), w.ChannelID); err != nil {
		t.Fatal(err)
	}
	dl.Tries = 2
	r.deliver(dl)
}

// TestFailures is the table of what Mattermost, or what stands before it, can
// answer.
func TestFailures(t *testing.T) {
	const canary = "canary words of the server"
	answer := func(status int, body string, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	html := "<html>" + canary + "</html>"
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   engine.Failure // Err is not compared
	}{
		{"bad request", answer(400, `{"message":"`+canary+`"}`), engine.Failure{Reason: flows.ReasonRejected, Status: 400, Final: true}},
		{"unauthorized", answer(401, `{"message":"`+canary+`"}`), engine.Failure{Status: 401, After: afterRefusal, All: true}},
		{"forbidden", answer(403, html), engine.Failure{Status: 403, After: afterRefusal}},
		{"not found", answer(404, html), engine.Failure{Reason: flows.ReasonGone, Status: 404, Final: true}},
		{"too large", answer(413, html), engine.Failure{Reason: flows.ReasonRejected, Status: 413, Final: true}},
		{"too many", answer(429, "limit exceeded", "Retry-After", "7"), engine.Failure{Status: 429, After: 7e9, All: true}},
		{"too many, no number", answer(429, "limit exceeded"), engine.Failure{Status: 429, After: 1e9, All: true}},
		{"too many, for ever", answer(429, "", "Retry-After", "99999999"), engine.Failure{Status: 429, After: maxAfter, All: true}},
		{"too many, a date", answer(429, "", "Retry-After", "Mon, 02 Jan 2034 15:04:15 GMT", "Date", "Mon, 02 Jan 2034 15:04:05 GMT"), engine.Failure{Status: 429, After: 10e9, All: true}},
		{"redirect", answer(302, "", "Location", "http://127.0.0.1:1/"), engine.Failure{Status: 302, After: afterRefusal}},
		{"server error in HTML", answer(502, html), engine.Failure{Status: 502, Perhaps: true}},
		{"pending", answer(500, `{"id":"api.post.deduplicate_create_post.pending","status_code":500}`), engine.Failure{Status: 500, Perhaps: true, After: afterPending}},
		{"half JSON", answer(201, `{"id":"`+canary), engine.Failure{Status: 201, Perhaps: true}},
		{"hang up", func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.(*net.TCPConn).SetLinger(0)
				_ = conn.Close()
			}
		}, engine.Failure{Perhaps: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(tt.answer)
			defer server.Close()
			w := &mattermosttest.World{URL: server.URL, ChannelID: model.NewId()}
			w.Bot.Token, w.Officers = "canary-token", []mattermosttest.Account{{Username: "siti"}}
			r := newRig(t, w)
			r.Desk.place = &place{bot: model.NewId(), channel: w.ChannelID}
			dl := engine.Delivery{ID: id(1), Thread: flows.PostID(model.NewId()), Effect: flows.Relay{Text: "canary of a person"}, Tries: 1}
			_, err := r.Deliver(t.Context(), dl)
			var got *engine.Failure
			if !errors.As(err, &got) {
				t.Fatalf("Deliver: %v, want a failure", err)
			}
			if strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), server.URL) {
				t.Errorf("the error tells too much: %v", err)
			}
			plain := *got
			plain.Err = nil
			if diff := cmp.Diff(tt.want, plain); diff != "" {
				t.Errorf("failure (-want +got):\n%s", diff)
			}
			// A card is never given up.
			dl.Effect = flows.Open{}
			if _, err := r.Deliver(t.Context(), dl); !errors.As(err, &got) || got.Final {
				t.Errorf("Open: %v, want a failure that is not final", err)
			}
		})
	}
}

// TestNobodyIsNotified proves on the real server that a person's words notify
// nobody and fetch nothing, and that the test would see it if they did.
func TestPersonsWordsAreInert(t *testing.T) {
	w := mattermosttest.Real(t)
	var fetched atomic.Int32
	beacon := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
	defer beacon.Close()
	r := newRig(t, w)
	root := r.open(1)
	unread := func() int64 {
		n := int64(0)
		for _, o := range w.Officers {
			m, _, err := o.Client().GetChannelMember(t.Context(), w.ChannelID, o.ID, "")
			if err != nil {
				t.Fatal(err)
			}
			n += m.MentionCount
		}
		return n
	}
	screen := w.Watch(w.Officers[1])
	before := unread()
	for i, text := range []string{
		"@channel", "@here @all", "@siti @budi", "(@Channel)", "**@all**", "\\@here", "`x` @channel", "```\n@channel\n```", "| a |\n|---|\n| @all |",
		"\u200b@channel", "\u202e@all", "> @here", "# @channel", "[@channel](x)",
		"![x](" + beacon.URL + "/a.png)", beacon.URL + "/b", "<" + beacon.URL + "/c>", "[x](" + beacon.URL + "/d.png)", "www." + strings.TrimPrefix(beacon.URL, "http://"),
		"/away", "a\x00b", strings.Repeat("\u0301", 4096), strings.Repeat("\n", 4096) + "x",
	} {
		done := r.deliver(engine.Delivery{ID: id(10 + i), Thread: root, Effect: flows.Relay{Label: "Orang", Text: text}})
		for {
			ev := screen.Next(model.WebsocketEventPosted)
			post, _ := ev.GetData()["post"].(string)
			if !strings.Contains(post, string(done.Post)) {
				continue
			}
			if m, _ := ev.GetData()["mentions"].(string); strings.Contains(m, w.Officers[1].ID) {
				t.Errorf("%q mentions an officer", text)
			}
			break
		}
	}
	if n := unread(); n != before {
		t.Errorf("%d mentions, want %d as before", n, before)
	}
	if n := fetched.Load(); n != 0 {
		t.Errorf("the server fetched %d addresses", n)
	}
	// The control: the same words as they are do both.
	w.Post(w.Officers[0], "", "@channel ![x]("+beacon.URL+"/control.png)")
	if n := unread(); n == before {
		t.Error("a live mention was not seen: this test proves nothing")
	}
	if fetched.Load() == 0 {
		t.Error("a live image was not fetched: this test proves nothing")
	}
	if !slices.ContainsFunc(w.Thread(string(root)), func(p *model.Post) bool { return strings.Contains(p.Message, "\\*\\*@\u2060all\\*\\*") }) {
		t.Error("an officer does not read what was written")
	}
}
