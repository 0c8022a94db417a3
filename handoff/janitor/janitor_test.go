package janitor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/mattermosttest"
	"suar/internal/mattermosttest/standin"
	"suar/internal/secret"
)

// onEach runs a test against the real server and the stand-in, through the local
// socket and with an administrator's token.
func onEach(t *testing.T, test func(t *testing.T, w *mattermosttest.World, c Config)) {
	for name, start := range map[string]func(testing.TB) *mattermosttest.World{
		"real":     func(t testing.TB) *mattermosttest.World { return mattermosttest.Real(t) },
		"stand-in": mattermosttest.StandIn,
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			bySocket, byToken := configs(w)
			t.Run("socket", func(t *testing.T) { test(t, w.For(t), bySocket) })
			t.Run("token", func(t *testing.T) { test(t, w.For(t), byToken) })
		})
	}
}

func configs(w *mattermosttest.World) (bySocket, byToken Config) {
	c := Config{URL: w.URL, Channel: w.ChannelID, Bot: secret.New(w.Bot.Token)}
	bySocket, byToken = c, c
	bySocket.Socket = w.Socket()
	byToken.Token = secret.New(w.Admin.Token)
	return bySocket, byToken
}

func makeJanitor(t *testing.T, c Config) *Janitor {
	t.Helper()
	j, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// A told is what a thread holds that must not be found once it is purged.
const told = "marker-of-the-purged"

// thread writes a case's thread as it comes to be: a card that was edited, lines
// that were, one that an officer hid, and files. It has seven posts and two
// files.
func thread(w *mattermosttest.World, mark string) *model.Post {
	mark = told + mark
	root := w.Post(w.Bot, "", mark+" card")
	w.Edit(w.Bot, root.Id, mark+" card claimed")
	w.Edit(w.Bot, root.Id, mark+" card closed")
	said := w.Post(w.Bot, root.Id, mark+" said by the person")
	w.Edit(w.Bot, said.Id, mark+" said anew")
	answer := w.Post(w.Officers[0], root.Id, mark+" answer")
	w.Edit(w.Officers[0], answer.Id, mark+" better answer")
	w.React(w.Bot, answer.Id, "eyes")
	w.React(w.Officers[1], root.Id, "eyes")
	hidden := w.Post(w.Officers[1], root.Id, mark+" hidden")
	w.Edit(w.Officers[1], hidden.Id, mark+" hidden later")
	w.Delete(w.Officers[1], hidden.Id)
	w.PostFile(w.Officers[0], root.Id, mark+" file", mark+".txt", []byte(mark+" in the file"))
	w.PostFile(w.Bot, root.Id, mark+" file", mark+"-bot.txt", []byte(mark+" in the bot's file"))
	w.Post(w.Bot, root.Id, mark+" last")
	return root
}

func TestNothingOfAPurgedThreadIsLeft(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World, c Config) {
		j, mark := makeJanitor(t, c), strings.ReplaceAll(t.Name(), "/", "-")
		other := w.Post(w.Bot, "", "another card "+mark)
		w.Post(w.Officers[0], other.Id, "another reply "+mark)
		root := thread(w, mark)
		w.Post(w.Bot, "", "a later card "+mark)
		if !strings.Contains(string(w.Dump()), told+mark) {
			t.Fatal("the thread is not there to begin with")
		}
		got, err := j.Purge(t.Context(), flows.PostID(root.Id))
		if err != nil {
			t.Fatal(err)
		}
		if want := (Purged{Posts: 7, Files: 2}); got != want {
			t.Errorf("purged %+v, want %+v", got, want)
		}
		absent(t, w, told+mark, root.Id)
		for _, kept := range []string{"another card ", "another reply ", "a later card "} {
			if !strings.Contains(string(w.Dump()), kept+mark) {
				t.Errorf("%q is gone with it", kept)
			}
		}
		if again, err := j.Purge(t.Context(), flows.PostID(root.Id)); err != nil || again != (Purged{}) {
			t.Errorf("a second time: %+v, %v; want nothing, and no error", again, err)
		}
	})
}

// absent looks for what is left of a thread in the server's database and, on a
// real one, in its files. Only the preferences and the log may name its id.
func absent(t *testing.T, w *mattermosttest.World, mark, root string) {
	t.Helper()
	dump := string(w.Dump())
	for line := range strings.Lines(dump) {
		if strings.Contains(line, mark) || strings.Contains(line, root) {
			t.Errorf("it is still in the database: %.150s", line)
		}
	}
	if w.Small != nil {
		return
	}
	files := filepath.Join(filepath.Dir(w.Socket()), "data")
	err := filepath.WalkDir(files, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if strings.Contains(string(raw), mark) || strings.Contains(path, mark) {
			t.Errorf("it is still in the file %s", path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestTheChannelMayBeNamed(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World, c Config) {
		c.Channel = "embassy/hotline"
		root := w.Post(w.Bot, "", "card")
		if got, err := makeJanitor(t, c).Purge(t.Context(), flows.PostID(root.Id)); err != nil || got.Posts != 1 {
			t.Errorf("purged %+v, %v; want one post", got, err)
		}
	})
}

func TestAThreadIsFoundBehindManyNewerRows(t *testing.T) {
	w := mattermosttest.StandIn(t)
	c, _ := configs(w)
	root := thread(w, "old")
	for i := range 3 * pageSize {
		w.Post(w.Bot, "", fmt.Sprint("newer ", i))
		if i == pageSize {
			w.Post(w.Bot, root.Id, told+"old late reply")
		}
	}
	if got, err := makeJanitor(t, c).Purge(t.Context(), flows.PostID(root.Id)); err != nil || got.Posts != 8 {
		t.Errorf("purged %+v, %v; want eight posts", got, err)
	}
	absent(t, w, told+"old", root.Id)
	if n := strings.Count(string(w.Dump()), "newer "); n != 3*pageSize {
		t.Errorf("%d of the newer posts are left, want all %d", n, 3*pageSize)
	}
}

func TestWhatIsNoCardOfTheChannelIsNotTouched(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World, c Config) {
		j := makeJanitor(t, c)
		root := w.Post(w.Bot, "", "card")
		reply := w.Post(w.Bot, root.Id, "reply")
		direct := w.WriteTo(w.Officers[0], w.Officers[1], "between us")
		for what, id := range map[string]string{"a reply": reply.Id, "a direct message": direct.Id} {
			if _, err := j.Purge(t.Context(), flows.PostID(id)); !errors.Is(err, ErrForeign) {
				t.Errorf("%s: %v, want ErrForeign", what, err)
			}
		}
		if got := w.Texts(w.Thread(root.Id)); len(got) != 2 {
			t.Errorf("the thread is %q now", got)
		}
	})
}

func TestAPurgeThatWasCutOffGoesOn(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World, c Config) {
		mark := strings.ReplaceAll(t.Name(), "/", "-")
		root := thread(w, mark)
		// Each time one more request succeeds before the connection is gone for good.
		total := Purged{}
		for allowed := 1; ; allowed++ {
			j := makeJanitor(t, c)
			j.deleting.client.Transport = &limited{j.deleting.client.Transport, allowed}
			got, err := j.Purge(t.Context(), flows.PostID(root.Id))
			total.Posts += got.Posts
			if err == nil {
				break
			}
			if allowed > 200 {
				t.Fatal("it does not come to an end: ", err)
			}
			if strings.Contains(err.Error(), root.Id) {
				t.Errorf("the error names the thread: %v", err)
			}
		}
		if total.Posts > 7 {
			t.Errorf("all calls together counted %d posts of seven", total.Posts)
		}
		absent(t, w, told+mark, root.Id)
	})
}

// limited lets some requests through; of the last one the answer is lost.
type limited struct {
	http.RoundTripper
	left int
}

func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.left == 0 {
		return nil, errors.New("the wire is cut")
	}
	l.left--
	resp, err := l.RoundTripper.RoundTrip(r)
	if l.left == 0 && err == nil && r.Method == http.MethodDelete {
		resp.Body.Close()
		return nil, errors.New("the answer is lost")
	}
	return resp, err
}

func TestCheckTriesTheCredential(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World, c Config) {
		if err := makeJanitor(t, c).Check(t.Context()); err != nil {
			t.Errorf("check: %v", err)
		}
		if strings.Contains(string(w.Dump()), "A test of the janitor") {
			t.Error("the test post is still there")
		}
	})
}

func TestACredentialThatCannotPurgeIsNamed(t *testing.T) {
	off := map[string]*mattermosttest.World{
		"real":     mattermosttest.Real(t, mattermosttest.Setting{Name: "ServiceSettings.EnableAPIPostDeletion", Value: "false"}),
		"stand-in": mattermosttest.StandIn(t),
	}
	off["stand-in"].Small.KeepsDeleted = true
	for name, w := range off {
		t.Run(name, func(t *testing.T) {
			w := w.For(t)
			bySocket, byToken := configs(w)
			officers, dead := byToken, byToken
			officers.Token, dead.Token = secret.New(w.Officers[0].Token), secret.New("invented-token")
			nowhere := bySocket
			nowhere.Socket = filepath.Join(t.TempDir(), "none.socket")
			other := byToken
			other.Channel = "embassy/elsewhere"
			for what, x := range map[string]struct {
				Config
				says string
			}{
				"deletion is off":          {byToken, "EnableAPIPostDeletion"},
				"an officer's token":       {officers, "system administrator"},
				"a token that is dead":     {dead, "is not valid"},
				"a channel that is not":    {other, "mattermost.channel"},
				"a socket that is not":     {nowhere, "none.socket"},
				"the socket needs nothing": {bySocket, ""},
			} {
				err := makeJanitor(t, x.Config).Check(t.Context())
				if x.says == "" && err != nil || x.says != "" && (err == nil || !strings.Contains(err.Error(), x.says)) {
					t.Errorf("%s: %v, want %q", what, err, x.says)
				}
				if x.says != "" && what != "a socket that is not" && !errors.Is(err, ErrRefused) {
					t.Errorf("%s: %v is not ErrRefused", what, err)
				}
			}
		})
	}
}

func TestAServerInTroubleIsTriedAgain(t *testing.T) {
	w := mattermosttest.StandIn(t)
	_, c := configs(w)
	root := w.Post(w.Bot, "", "card")
	w.Post(w.Bot, root.Id, "reply")
	w.Small.Inject(standin.Fault{Method: http.MethodDelete, Times: 1, Status: http.StatusInternalServerError, Body: "words of the server"})
	_, err := makeJanitor(t, c).Purge(t.Context(), flows.PostID(root.Id))
	if err == nil || errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "words") {
		t.Errorf("got %v, want an error to try again after, without the server's words", err)
	}
	if got, err := makeJanitor(t, c).Purge(t.Context(), flows.PostID(root.Id)); err != nil || got.Posts != 2 {
		t.Errorf("then %+v, %v", got, err)
	}
}

func TestACancelledPurgeEnds(t *testing.T) {
	w := mattermosttest.StandIn(t)
	c, _ := configs(w)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := makeJanitor(t, c).Purge(ctx, flows.PostID(w.Post(w.Bot, "", "card").Id)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestNewWantsOneCredential(t *testing.T) {
	good := Config{URL: "https://chat.example.org", Channel: "embassy/hotline", Bot: secret.New("b"), Socket: "/run/mm.socket"}
	if _, err := New(good); err != nil {
		t.Errorf("a good configuration: %v", err)
	}
	for what, spoil := range map[string]func(*Config){
		"no address": func(c *Config) { c.URL = "chat" },
		"no channel": func(c *Config) { c.Channel = "" },
		"no bot":     func(c *Config) { c.Bot = secret.Secret{} },
		"none":       func(c *Config) { c.Socket = "" },
		"both":       func(c *Config) { c.Token = secret.New("t") },
	} {
		c := good
		spoil(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}
