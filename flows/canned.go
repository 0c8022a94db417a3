package flows

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// Officers can choose a reply that was written and read beforehand, by situation, in
// the person's language. They see its very words before it goes, and the same in
// their own language. It is put into the thread as what the officer says, and from
// there it goes to the person as any other reply does.

// ActionCanned chooses such a reply.
const ActionCanned ActionName = "canned"

// A cannedReply is one of them in one language.
type cannedReply struct {
	ID    string `yaml:"id"`
	Label string `yaml:"label"`
	Text  string `yaml:"text"`

	at place
}

// longestCanned is how many runes one may have: a person reads it on a telephone.
const longestCanned = 600

// readCanned reads replies/*.yaml: a file's language is its name up to a "-", so that
// a deployer's own stand beside those that come with the program. A book without any
// has the shipped ones.
func readCanned(files fs.FS, faults *faults) (map[string][]cannedReply, error) {
	names, err := fs.Glob(files, "replies/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("flows: list the replies: %w", err)
	}
	if len(names) == 0 {
		files = Shipped()
		if names, err = fs.Glob(files, "replies/*.yaml"); err != nil {
			return nil, fmt.Errorf("flows: list the shipped replies: %w", err)
		}
	}
	out := map[string][]cannedReply{}
	for _, name := range names {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("flows: read the replies: %w", err)
		}
		language, _, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".yaml"), "-")
		out[language] = append(out[language], parseCanned(name, raw, faults)...)
	}
	return out, nil
}

func parseCanned(name string, raw []byte, faults *faults) []cannedReply {
	var file struct {
		// Reviewed says that a native speaker who works with survivors has read it.
		Reviewed bool          `yaml:"reviewed"`
		Replies  []cannedReply `yaml:"replies"`
	}
	root, ok := faults.parse(name, raw, &file)
	if !ok {
		return nil
	}
	for i := range file.Replies {
		file.Replies[i].at = place{name, line(child(root, "replies", i))}
	}
	return file.Replies
}

// checkCanned reports what is wrong with the replies: above all one that breaks a
// never rule.
func (b *Book) checkCanned(faults *faults) {
	for _, language := range slices.Sorted(maps.Keys(b.canned)) {
		seen := map[string]bool{}
		for _, r := range b.canned[language] {
			switch {
			case r.ID == "" || seen[r.ID]:
				faults.add(r.at, "a reply needs an id of its own")
			case r.Label == "" || strings.TrimSpace(r.Text) == "":
				faults.add(r.at, "the reply %q needs a label and a text", r.ID)
			case len([]rune(r.Text)) > longestCanned:
				faults.add(r.at, "the reply %q has %d characters; %d fit", r.ID, len([]rune(r.Text)), longestCanned)
			}
			seen[r.ID] = true
			for _, id := range b.breaks(r.Text) {
				faults.add(r.at, "the reply %q breaks the never rule %q: %s", r.ID, id, b.neverRule(id, "en").Name)
			}
		}
	}
}

// cannedIn returns a reply in a language, and whether there is one.
func (b *Book) cannedIn(language, id string) (cannedReply, bool) {
	i := slices.IndexFunc(b.canned[language], func(r cannedReply) bool { return r.ID == id })
	if i < 0 {
		return cannedReply{}, false
	}
	return b.canned[language][i], true
}

// cannedFor returns a reply as the person can read it: in their language; if there is
// none in it, in the first complete one that has it. Language says in which.
func (b *Book) cannedFor(s State, id string) (r cannedReply, language string, ok bool) {
	for _, l := range append([]string{s.facts().Language}, b.Complete()...) {
		if r, ok := b.cannedIn(l, id); ok {
			return r, l, true
		}
	}
	return cannedReply{}, "", false
}

// cannedForm lets an officer choose. It is offered for whoever has chosen no
// language, too: then the first complete one counts.
func (b *Book) cannedForm(s State) (Form, bool) {
	say := func(key string) string { return b.say(b.policy.Officers, key) }
	var options []Option
	for _, r := range b.canned[b.policy.Officers] {
		if _, _, ok := b.cannedFor(s, r.ID); ok {
			options = append(options, Option{Value: r.ID, Label: r.Label})
		}
	}
	for _, language := range slices.Sorted(maps.Keys(b.canned)) {
		for _, r := range b.canned[language] {
			_, there := b.cannedIn(b.policy.Officers, r.ID)
			if _, l, _ := b.cannedFor(s, r.ID); !there && l == language {
				options = append(options, Option{Value: r.ID, Label: r.Label})
			}
		}
	}
	return Form{
		Title: say("card.canned.title"), Intro: say("card.canned.intro"), Preview: true, Send: say("card.canned.send"),
		Fields: []Field{{Name: cannedField, Label: say("card.canned.field"), Kind: FieldChoice, Options: options}},
	}, len(options) > 0
}

// cannedField is the form's only field.
const cannedField = "reply"

// cannedPreview is the very words, the same in the officers' language, and a warning
// if the person reads another one.
func (b *Book) cannedPreview(s State, values map[string]string) string {
	r, language, ok := b.cannedFor(s, values[cannedField])
	if !ok {
		return ""
	}
	lines := []string{b.say(b.policy.Officers, "card.canned.preview", "language", b.languageName(language)), r.Text}
	if theirs := s.facts().Language; theirs != "" && theirs != language {
		lines = append(lines, b.say(b.policy.Officers, "card.canned.other", "language", b.languageName(theirs)))
	}
	if ours, ok := b.cannedIn(b.policy.Officers, r.ID); ok && language != b.policy.Officers {
		lines = append(lines, b.say(b.policy.Officers, "card.canned.ours"), ours.Text)
	}
	return strings.Join(lines, "\n\n")
}

// aboutCanned begins what a line about one is about; the rest is a cannedPost.
const aboutCanned = "canned "

// A cannedPost is what is to be said to the person once the thread has it.
type cannedPost struct {
	By   Officer `json:"by"`
	Text string  `json:"text"`
	// At is when the officer chose it.
	At time.Time `json:"at"`
}

// sayCanned puts the words into the thread, as the officer's. Whoever chooses them in
// a case that waits has it from then on.
func (t *turn) sayCanned(ev Acted) {
	r, _, ok := t.book.cannedFor(t.s, ev.Values[cannedField])
	if !ok {
		return
	}
	about, err := json.Marshal(cannedPost{By: ev.Officer, Text: r.Text, At: t.m.At})
	if err != nil {
		return // It holds nothing but texts and a time.
	}
	if t.s.Case.Phase != Owned {
		t.claimed(ev.Officer)
	}
	t.do(Prompt{About: aboutCanned + string(about), Text: t.officers("card.canned.line", "officer", "@"+ev.Officer.Name, "text", r.Text)})
}

// cannedThere passes the words on that are in the thread now, by all the rules of a
// reply. Words that come late are not passed on: whoever chose them has the case no
// more, or did not know what was said since, and claims nothing by them.
func (t *turn) cannedThere(about string, post PostID) {
	var c cannedPost
	if json.Unmarshal([]byte(about), &c) != nil || post == "" {
		return
	}
	if t.active() && (t.s.Case.Phase != Owned || !t.s.Case.Officer.is(c.By) || t.m.At.After(t.book.policy.Transfer.after(c.At))) {
		t.refuse(post, "card.canned.lost")
		return
	}
	t.replied(Replied{Post: post, Officer: c.By, Text: c.Text})
}

// cannedLost tells the officers that such words did not get into the thread, and so
// not to the person.
func (t *turn) cannedLost(e Prompt) {
	if strings.HasPrefix(e.About, aboutCanned) && t.active() {
		t.tell("card.canned.lost")
	}
}
