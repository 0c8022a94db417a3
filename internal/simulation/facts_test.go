package simulation

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"suar/flows"
	"suar/storage"
	"suar/storage/storagetest"
)

// Facts are what happened, as the world saw it: what was committed, what the
// servers performed and what people and officers did.
type facts struct {
	convs map[string]*conv // by their blind names
	// roots are the cards that were made, by the case's code.
	roots     map[string][]string
	lostRoots map[string]bool // deleted by an administrator
	keys      map[string]string
	posts     []*post
	// claims and closes are when an officer first acknowledged a case and asked
	// to close it, by code.
	claims, closes map[string]time.Time
	// shown are the tokens that were in a person's chat, and when first.
	shown map[string]time.Time
	// typed are tokens that were kept as answers.
	typed map[string]bool
	// held are the posts of replies that ever waited for the person.
	held map[string]bool
	// relayed counts a person's words in the threads, latest is the last word
	// of a thread.
	relayed map[string]int
	latest  map[string]string
	// withdrawn is when the consent to a case was withdrawn, by code; within are
	// the cases in whose threads a person's words came.
	withdrawn map[string]time.Time
	within    map[string]string
	// news are the messages that say that there is a reply; arrived are those
	// that the state knows, by the officers' posts.
	news    map[string]bool
	arrived map[string]string
	// media are the records of photos and voice messages that are kept.
	media map[string]bool
	// permitted says that an officer ever chose to have photos taken.
	permitted bool
	// codes are the receipt codes that people were shown.
	codes []string
}

func newFacts() facts {
	return facts{
		convs: map[string]*conv{}, roots: map[string][]string{}, lostRoots: map[string]bool{}, keys: map[string]string{},
		claims: map[string]time.Time{}, closes: map[string]time.Time{},
		shown: map[string]time.Time{}, typed: map[string]bool{},
		held: map[string]bool{}, relayed: map[string]int{}, latest: map[string]string{},
		withdrawn: map[string]time.Time{}, within: map[string]string{}, media: map[string]bool{},
		news: map[string]bool{}, arrived: map[string]string{},
	}
}

// A conv is a conversation as it was last committed.
type conv struct {
	chat    int64
	version uint64
	state   flows.State
	// quiet is since when there is nothing that may be said to the person: gone
	// and not come back.
	quiet time.Time
	// last is the reply of which the person was told last, of those that never
	// waited.
	last *post
	// known are the messages that it ever knew of.
	known map[int]bool
	// cases are the codes it had, and until when.
	cases []span
}

type span struct {
	code  string
	until time.Time // zero for the present one
}

func (f *facts) claim(code string) {
	if _, ok := f.claims[code]; !ok {
		f.claims[code] = time.Now()
	}
}

// closeNamed takes note that somebody asks to close the case that a dialog
// names.
func (f *facts) closeNamed(dialog string) {
	for code := range f.roots {
		if mentionsCode(dialog, code) {
			if _, ok := f.closes[code]; !ok {
				f.closes[code] = time.Now()
			}
		}
	}
}

// A watched is the store itself, and tells the world of what is committed.
type watched struct {
	*storagetest.Memory
	world *world
}

func (s *watched) Commit(ctx context.Context, c storage.Commit) error {
	err := s.Memory.Commit(ctx, c)
	s.world.outcome(c, err)
	return err
}

func (s *watched) CommitAndLease(ctx context.Context, c storage.Commit, until time.Time, lanes ...storage.Lane) ([]storage.Leased, error) {
	leased, err := s.Memory.CommitAndLease(ctx, c, until, lanes...)
	s.world.outcome(c, err)
	return leased, err
}

// outcome takes note of what came of a commit.
func (w *world) outcome(c storage.Commit, err error) {
	switch {
	case err == nil:
		w.committed(c)
	case errors.Is(err, storage.ErrConflict):
		w.met["conflict"]++
	case errors.Is(err, storage.ErrDuplicate):
		w.met["duplicate"]++
	case errors.Is(err, storage.ErrLeaseLost):
		w.met["lease lost"]++
	}
}

// canaries are what must not be found in clear in the store or in a log, in the
// forms in which it could hide.
func (w *world) canaries() [][]byte {
	if w.hidden == nil {
		for _, clear := range []string{canary, strconv.FormatInt(firstChat/10, 10)} {
			w.hidden = append(w.hidden, []byte(clear), []byte(hex.EncodeToString([]byte(clear))))
			for pad := range 3 {
				if len(clear) < 12 {
					break // too few of its letters are sure
				}
				b := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(".", pad) + clear))
				w.hidden = append(w.hidden, []byte(b[4:len(b)-4]))
			}
		}
	}
	return w.hidden
}

// committed takes note of what the store took.
func (w *world) committed(c storage.Commit) {
	w.scan("state", c.State)
	w.scan("name", []byte(c.ID+" "+strings.Join(c.Names, " ")+" "+strings.Join(c.Events, " ")+" "+c.Transcript))
	w.scan("header", c.Header)
	for _, i := range c.Items {
		w.scan("item", i.Body)
	}
	for _, e := range c.Entries {
		w.scan("entry", e)
	}
	w.committedItems(c.Items)
	switch {
	case c.ID == "vault", c.ID == "clock", c.ID == "probe", c.ID == "audit": // the engine's own
		return
	case strings.HasPrefix(c.ID, "media:"):
		if w.facts.media[c.ID] = c.State != nil; c.State == nil {
			delete(w.facts.media, c.ID)
		} else {
			w.met["media kept"]++
			if !w.facts.permitted {
				w.blame("a photo is kept, and no officer allowed any")
			}
		}
		return
	}
	v := w.facts.convs[c.ID]
	if v == nil {
		v = &conv{known: map[int]bool{}}
		w.facts.convs[c.ID] = v
	}
	now := time.Now()
	v.version = c.Version + 1
	var kept struct {
		Caller string      `json:"caller"`
		State  flows.State `json:"state"`
	}
	if c.State != nil {
		plain, err := w.vault.Open("state", c.ID+":"+strconv.FormatUint(v.version, 10), c.State)
		if err != nil || json.Unmarshal(plain, &kept) != nil {
			w.blame("a committed state does not open: %v", err)
			return
		}
		v.chat, _ = strconv.ParseInt(kept.Caller, 10, 64)
	}
	before := v.standing()
	v.state = kept.State
	if after := v.standing(); after != before {
		w.note("person%d is %s", v.chat-firstChat+1, after)
	}
	v.follow(now)
	w.committedState(v)
	for _, m := range v.state.Messages {
		for id := range strings.SplitSeq(string(m.ID), ",") {
			n, _ := strconv.Atoi(id)
			v.known[n] = true
		}
	}
	if c := v.state.Case; c != nil {
		// What an officer decides on later may come after what was written later.
		for _, s := range c.Strays {
			w.facts.held[string(s.Post)] = true
		}
		for _, d := range c.Doubts {
			w.facts.held[string(d.Post)] = true
		}
	}
	for _, r := range v.state.Replies {
		if r.Held {
			w.facts.held[string(r.Post)] = true
		}
		if _, ok := w.facts.arrived[string(r.Post)]; r.Message != "" && !ok {
			w.facts.arrived[string(r.Post)] = string(r.Message)
			w.inOrder(v, string(r.Post))
		}
	}
	answers := append(slices.Clone(v.state.Answers), aside(v.state)...)
	if v.state.Mask != nil {
		answers = append(answers, v.state.Mask.Answers...)
	}
	for _, a := range answers {
		w.types(a.Text)
	}
}

// standing is where a conversation stands, for the trace.
func (v *conv) standing() string {
	s := "at " + v.state.Screen
	if v.state.Left {
		s += ", left"
	}
	if v.state.Shut {
		s += ", shut"
	}
	if c := v.state.Case; c != nil {
		s += ", case " + c.ID.Code() + " " + string(c.Phase)
	}
	return s
}

func aside(s flows.State) []flows.Answer {
	if s.Aside == nil {
		return nil
	}
	return s.Aside.Answers
}

// seen is the conversation that the person sees: the stranger's, while who writes
// is not believed to be the person.
func (v *conv) seen() flows.State {
	if v.state.Mask == nil {
		return v.state
	}
	s := *v.state.Mask
	s.Shut, s.Shown, s.Messages = v.state.Shut, v.state.Shown, v.state.Messages
	return s
}

// follow draws from the state what the checks look at.
func (v *conv) follow(now time.Time) {
	s := v.seen()
	quiet := s.Screen == "" && (s.Left || s.Shut || s.Blank())
	switch {
	case !quiet:
		v.quiet = time.Time{}
	case v.quiet.IsZero():
		v.quiet = now
	}
	code := ""
	if v.state.Case != nil {
		code = v.state.Case.ID.Code()
	}
	if n := len(v.cases); n > 0 && v.cases[n-1].until.IsZero() {
		if v.cases[n-1].code == code {
			return
		}
		v.cases[n-1].until = now
	}
	if code != "" {
		v.cases = append(v.cases, span{code: code})
	}
}

func (w *world) scan(what string, b []byte) {
	if where := w.leaks(b); where != "" {
		w.blame("the store holds %s in clear: %s", where, what)
	}
}

// tokens are what words are told apart by.
var tokens = regexp.MustCompile(`[po]\d+x\d+z`)

// sent takes note of what Telegram performed.
func (w *world) sent(r *http.Request, body []byte, status int, answer []byte) {
	method := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	if status != http.StatusOK || method != "sendMessage" && method != "editMessageText" {
		return
	}
	chat, text := message(r, body)
	if text == "·" {
		return // a message that cannot be erased and must say nothing
	}
	var made struct {
		Result struct {
			ID int `json:"message_id"`
		} `json:"result"`
	}
	if method == "sendMessage" && w.texts.in(text, "ui.news") && json.Unmarshal(answer, &made) == nil {
		w.facts.news[itoa(made.Result.ID)] = true
	}
	w.told(chat, text, method == "sendMessage")
}

// inOrder checks that replies come in the order in which they were written,
// unless one waited.
func (w *world) inOrder(v *conv, id string) {
	i := slices.IndexFunc(w.facts.posts, func(p *post) bool { return p.id == id })
	if i < 0 || w.facts.held[id] || len(w.facts.posts[i].tokens) > 1 {
		return
	}
	p := w.facts.posts[i]
	if v.last != nil && v.last.at.After(p.at) {
		w.blame("person%d is told of %s after %s, which was written later", v.chat-firstChat+1, p.token, v.last.token)
	}
	v.last = p
}

// message reads the chat and the text of a call.
func message(r *http.Request, body []byte) (chat int64, text string) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/json" {
		var p struct {
			Chat int64  `json:"chat_id"`
			Text string `json:"text"`
		}
		_ = json.Unmarshal(body, &p)
		return p.Chat, p.Text
	}
	in := r.Clone(r.Context())
	in.Body = http.NoBody
	in.Body = nopCloser{bytes.NewReader(body)}
	_ = in.ParseMultipartForm(1 << 20)
	chat, _ = strconv.ParseInt(in.FormValue("chat_id"), 10, 64)
	return chat, in.FormValue("text")
}

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }

// posted takes note of what Mattermost performed.
func (w *world) posted(r *http.Request, body []byte, status int, answer []byte) {
	if status != http.StatusCreated || r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/posts") {
		return
	}
	var made struct {
		ID      string `json:"id"`
		Root    string `json:"root_id"`
		Message string `json:"message"`
		Props   struct {
			Key string `json:"relay_key"`
		} `json:"props"`
	}
	if json.Unmarshal(answer, &made) != nil {
		return
	}
	if other, ok := w.facts.keys[made.Props.Key]; ok && other != made.ID && !w.facts.lostRoots[other] {
		w.blame("twice in Mattermost: %s and %s have the same key", short(other), short(made.ID))
	}
	if w.facts.keys[made.Props.Key] == made.ID {
		return // the server knew it again
	}
	w.facts.keys[made.Props.Key] = made.ID
	if made.Root == "" {
		for _, v := range w.facts.convs {
			for _, c := range v.cases {
				code := c.code
				if !mentionsCode(made.Message, code) {
					continue
				}
				w.facts.roots[code] = append(w.facts.roots[code], made.ID)
				if w.met["cards"]++; len(w.facts.roots[code]) > 1 && !w.replaceable(code) {
					w.blame("case %s has two cards", code)
				}
			}
		}
	}
	w.said(made.Root, made.Message)
}

// replaceable reports whether a card of the case was deleted.
func (w *world) replaceable(code string) bool {
	for _, root := range w.facts.roots[code] {
		if w.facts.lostRoots[root] {
			return true
		}
	}
	return false
}
