package simulation

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"suar/flows"
)

// Texts are what the book says in each language, by key, up to the first
// placeholder.
type texts map[string][]string

// readTexts reads the catalogues of the shipped book.
func readTexts() (texts, error) {
	all := texts{}
	files, err := fs.Glob(flows.Shipped(), "text/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		raw, err := fs.ReadFile(flows.Shipped(), name)
		if err != nil {
			return nil, err
		}
		var file struct{ Texts map[string]string }
		if err := yaml.Unmarshal(raw, &file); err != nil {
			return nil, err
		}
		for key, text := range file.Texts {
			text, _, _ = strings.Cut(text, "{")
			all[key] = append(all[key], strings.TrimSpace(text))
		}
	}
	return all, nil
}

// in reports whether a text says what a key stands for, in any language.
func (t texts) in(text, key string) bool {
	for _, part := range t[key] {
		if part != "" && strings.Contains(text, part) {
			return true
		}
	}
	return false
}

const (
	// flight is how long a delivery may be under way: what was committed
	// meanwhile it cannot know.
	flight = 45 * time.Second
	// live is the policy's.
	live = 30 * time.Minute
	// truthWindow is how long after leaving a person is told that something
	// could not be erased.
	truthWindow = 2 * time.Minute
)

// told checks what a person is told at this moment.
func (w *world) told(chat int64, text string, anew bool) {
	v := w.convOf(chat)
	if v == nil {
		w.blame("chat %d is told something, and nothing was committed of it", chat-firstChat+1)
		return
	}
	who := fmt.Sprintf("person%d", chat-firstChat+1)
	now := time.Now()
	// holds reports whether it holds for a case that the person has or just had.
	holds := func(fact func(code string) bool) bool {
		for _, c := range v.cases {
			if (c.until.IsZero() || now.Sub(c.until) < flight) && fact(c.code) {
				return true
			}
		}
		return false
	}
	claimed := func(code string) bool { return !w.facts.claims[code].IsZero() }
	placed := func(code string) bool { return len(w.facts.roots[code]) > 0 }
	closed := func(code string) bool { return !w.facts.closes[code].IsZero() }
	for _, x := range []struct {
		key  string
		fact func(code string) bool
	}{
		{"ui.status.alerting", placed}, {"ui.status.late", placed}, {"ui.status.claimed", claimed}, {"ui.status.has", claimed}, {"ui.status.read", claimed}, {"ui.status.closed", closed},
	} {
		if w.texts.in(text, x.key) {
			w.met["told "+x.key]++
			if !holds(x.fact) {
				w.blame("%s is told %s, which is not true", who, x.key)
			}
		}
	}
	if w.texts.in(text, "ui.status.stuck") {
		w.met["told ui.status.stuck"]++
	}
	if anew && w.texts.in(text, "ui.news") {
		w.announced(who, v)
	}
	gone := w.texts.in(text, "case.gone")
	if anew && !v.quiet.IsZero() && now.Sub(v.quiet) > flight && !gone {
		w.blame("%s left %v ago and is spoken to: %s", who, now.Sub(v.quiet), text)
	}
	if anew && gone && v.state.Left && !v.state.LeftAt.IsZero() && now.Sub(v.state.LeftAt) > truthWindow+2*flight && now.Sub(v.state.Seen) > truthWindow+2*flight {
		w.blame("%s left %v ago and is told only now that something stays", who, now.Sub(v.state.LeftAt))
	}
	for _, token := range tokens.FindAllString(text, -1) {
		w.reached(who, v, token, anew)
	}
}

// reached checks an officer's words that come into a person's chat.
func (w *world) reached(who string, v *conv, token string, anew bool) {
	now := time.Now()
	p := w.facts.postOf(token)
	if p == nil {
		w.blame("%s sees %s, which no officer wrote", who, token)
		return
	}
	if _, ok := w.facts.shown[token]; !ok {
		w.facts.shown[token] = now
	}
	if p.note && !p.reply {
		w.blame("%s sees the note %s", who, token)
	}
	if !v.had(p.code) {
		w.blame("%s sees %s, which is of another person's case", who, token)
	}
	w.met["reply opened"]++
	if !anew {
		return
	}
	w.blame("%s is sent %s, and not only that there is news", who, token)
}

// announced checks that somebody may be told at this moment that there is news.
func (w *world) announced(who string, v *conv) {
	now := time.Now()
	w.met["reply reached"]++
	if !v.quiet.IsZero() && now.Sub(v.quiet) > flight {
		w.blame("%s left %v ago and is told that there is news", who, now.Sub(v.quiet))
	}
	slack := flight + 20*time.Second
	if w.nature.jumps && w.nature.far {
		return // by the hotline's clock, which follows a wrong one slowly
	}
	if now.Sub(v.state.Seen) > live+slack && !allowed(v.state, now) && !allowed(v.state, now.Add(-slack)) {
		w.blame("%s is told that there is news against the contact rule, %v after the last sign", who, now.Sub(v.state.Seen))
	}
}

// allowed is what the contact rule says, apart from a sign of the person's.
func allowed(s flows.State, at time.Time) bool {
	ahead := 7 * time.Hour
	for _, a := range s.Answers {
		if a.Fact == "clock" && len(a.Options) > 0 {
			ahead = map[string]time.Duration{"laos": 7 * time.Hour, "wita": 8 * time.Hour, "wit": 9 * time.Hour, "myanmar": 6*time.Hour + 30*time.Minute}[a.Options[0]]
		}
	}
	hour := at.UTC().Add(ahead).Hour()
	day := hour >= 6 && hour < 18
	for _, a := range s.Answers {
		if a.Fact != "contact" || len(a.Options) == 0 {
			continue
		}
		switch a.Options[0] {
		case "any", "here", "call":
			return true
		case "day":
			return day
		case "night":
			return !day
		}
	}
	return false
}

// had reports whether the conversation has or had the case.
func (v *conv) had(code string) bool {
	for _, c := range v.cases {
		if c.code == code {
			return true
		}
	}
	return false
}

func (w *world) convOf(chat int64) *conv {
	return w.facts.convs[w.vault.Blind("conversation", fmt.Sprintf("tg:%d", chat))]
}

func (f *facts) postOf(token string) *post {
	for _, p := range f.posts {
		if slices.Contains(p.tokens, token) {
			return p
		}
	}
	return nil
}

// said checks a person's words that come into a thread.
func (w *world) said(root, text string) {
	for _, token := range tokens.FindAllString(text, -1) {
		if token[0] != 'p' {
			continue
		}
		w.met["words relayed"]++
		w.facts.relayed[token]++
		w.facts.within[token] = w.codeOf(root)
		n, seq, _ := strings.Cut(token[1:], "x")
		// A case may have come from another person's chat: each has an order.
		if last := w.facts.latest[root+n]; seq < last && w.replaceable(w.codeOf(root)) {
			// What was on its way to a card that was deleted comes into the new
			// thread after what was written since.
			w.met["order after a lost card"]++
		} else if seq < last {
			w.blame("%s comes into the thread after %s", token, last)
		} else {
			w.facts.latest[root+n] = seq
		}
		var number int64
		_, _ = fmt.Sscan(n, &number)
		v := w.convOf(firstChat + number - 1)
		if code := w.codeOf(root); v == nil || !v.had(code) {
			w.blame("%s is in the thread of %q, which is another person's", token, code)
		}
	}
}
