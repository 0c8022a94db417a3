package flows

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"suar/internal/spelling"
)

// A Book is a checked intake with its texts: what Step speaks from. It does not
// change after Load.
type Book struct {
	policy  Policy
	screens map[string]*screen
	order   []string
	// languages are those that people are spoken to in, in the order in which
	// they are offered.
	languages []string
	// text holds their catalogues, and catalogues those of all that the book has.
	text       map[string]catalogue
	catalogues map[string]catalogue
	directory  Directory
	// work is what officers can record of a case.
	work casework
	// packets are what partners are given of it.
	packets htcds
	// codes are the words of receipt codes by language.
	codes map[string][]string
	// never are the never rules by language.
	never map[string]never
	// canned are the replies that officers can choose, by language.
	canned map[string][]cannedReply
	// summons says that officers can be called a second way.
	summons bool
}

// A Policy is when things happen. It is the file policy.yaml of a book.
type Policy struct {
	// Notice is the version of the notice that people agree to.
	Notice string `yaml:"notice"`
	// First is the screen of a new conversation, the cover; Talk the one of a
	// case, Gone the one that says that messages could not be erased.
	First string `yaml:"first"`
	Talk  string `yaml:"talk"`
	Gone  string `yaml:"gone"`
	// Gate is the screen that asks whether it is OK to chat now: what anybody
	// comes to who goes on from the first screen.
	Gate string `yaml:"gate"`
	// Language is the screen on which the language can be changed at any time.
	Language string `yaml:"language"`
	// Languages are the languages that are on when the deployer lists none, in
	// the order in which they are offered.
	Languages []string `yaml:"languages"`
	// Held is the screen that lists what is kept of the person, Renew the one
	// that asks for the agreement to a newer notice.
	Held  string `yaml:"held"`
	Renew string `yaml:"renew"`
	// Found is the screen that asks what may be said to somebody who asks about
	// the person.
	Found string `yaml:"found"`
	// Ask is the screen of the check question. Resume is how long somebody may be
	// away before the gate asks again, and the check question.
	Ask    string   `yaml:"ask"`
	Resume Duration `yaml:"resume"`
	// Officers is the language of the officers' side.
	Officers string `yaml:"officers"`
	// Urgent and Ordinary are how long after the card was placed the officers
	// are paged again while nobody has acknowledged; the last interval repeats.
	// Danger and Minor are the same for danger and for somebody under 18; Urgent
	// counts where there are none.
	Danger   []Duration `yaml:"danger"`
	Minor    []Duration `yaml:"minor"`
	Urgent   []Duration `yaml:"urgent"`
	Ordinary []Duration `yaml:"ordinary"`
	// Acknowledge is how many officers must acknowledge a case of danger, and one
	// of somebody under 18; one for every other, and where it is 0.
	Acknowledge struct {
		Danger int `yaml:"danger"`
		Minor  int `yaml:"minor"`
	} `yaml:"acknowledge"`
	// Transfer is how long the offer of a case waits for an answer, and what an
	// officer wrote who does not own the case for a press; Approval how long a
	// proposal waits for a second officer.
	Transfer Duration `yaml:"transfer"`
	Approval Duration `yaml:"approval"`
	// Rank is the rule by which the queue is ordered.
	Rank []Weight `yaml:"rank"`
	// Summon is from how many calls on the officers are called the second way as
	// well, if there is one: 0 for only when their side cannot be reached.
	Summon int `yaml:"summon"`
	// Unanswered is how long the person's words may wait in a claimed case before
	// the officers are reminded.
	Unanswered Duration `yaml:"unanswered"`
	// Live is how long after a sign of the person replies still go to somebody
	// who was not asked when they may be written to.
	Live Duration `yaml:"live"`
	// Stuck is how long the officers' side may be out of reach before the
	// person is told.
	Stuck Duration `yaml:"stuck"`
	// Idle is how long an intake without a case is kept.
	Idle Duration `yaml:"idle"`
	// Sweep is how old a message in the person's chat gets; under 47 h, because
	// Telegram refuses to erase what is 48 h old.
	Sweep Duration `yaml:"sweep"`
	// Dormant is how long nothing happens in a claimed case before the officers
	// are told that it will close by itself, two weeks later.
	Dormant Duration `yaml:"dormant"`
	// Keep is how long a closed case can still be reached by the person.
	Keep Duration `yaml:"keep"`
	// Media is how long a photo or a voice message is kept that no officer asked
	// to see; 7 days at most.
	Media Duration `yaml:"media"`
	// Day is when the day begins and ends for "write to me by day", as
	// offsets from midnight, UTCOffset the clock they are meant in.
	Day struct {
		From Duration `yaml:"from"`
		To   Duration `yaml:"to"`
	} `yaml:"day"`
	UTCOffset Duration `yaml:"utc_offset"`
}

// A Duration is a time.Duration written as "90s", "10m" or "24h".
type Duration time.Duration

// UnmarshalYAML reads a duration.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is no duration; write it like 90s, 10m or 24h", n.Line, n.Value)
	}
	*d = Duration(v)
	return nil
}

func (d Duration) after(t time.Time) time.Time { return t.Add(time.Duration(d)) }

// A screen is one thing that the bubble can show.
type screen struct {
	// name is "flow.id".
	name string
	flow string
	at   place

	ID string `yaml:"id"`
	// Fact is what an answer is kept under; without one nothing is kept.
	Fact string `yaml:"fact"`
	// Gate says that the screen cannot be skipped.
	Gate bool `yaml:"gate"`
	// Setting says that the person came to change something: there is Back, which
	// changes nothing, and no Skip, which would choose the default for them.
	Setting bool `yaml:"setting"`
	// Many says that several options may be ticked.
	Many bool `yaml:"many"`
	// Text says that what is typed here is the answer.
	Text bool `yaml:"text"`
	// Menu says that the screen is a place to come back to: it keeps no trail
	// and may be part of a circle.
	Menu bool `yaml:"menu"`
	// Secret says that what is typed here stays nowhere: a receipt "code" is looked
	// up, an "answer" is compared; of a check "word" and a duress "phrase" only a
	// sum is kept, and "check" is the screen of the check question.
	Secret string `yaml:"secret"`
	// Shows adds what is not in the book: "numbers" or "pages" of the deployer's
	// directory or its "embassies", "languages" to choose from, on a "cover" the
	// pages and, until a language is chosen, the languages, or "held": what is kept
	// of the person, with buttons to correct it.
	Shows string `yaml:"shows"`
	// Needs is what there must be for the screen to be shown: "numbers" in the
	// directory, a "language" that was chosen, or "unspoken", none yet. Otherwise
	// it is passed over.
	Needs string `yaml:"needs"`
	// Default is the option that a skipped question counts as.
	Default string `yaml:"default"`
	// Short is what a short catalogue does with the screen: "here",
	// "anyway", or the screen that is shown in its place; by default what the flow says.
	Short string `yaml:"short"`
	// Next is where Skip, Done and options without a next lead; by default
	// the screen that follows in the file.
	Next string `yaml:"next"`
	// Alert says that leaving the screen by an answer or a skip opens the
	// case.
	Alert   bool     `yaml:"alert"`
	Options []option `yaml:"options"`
}

// An option is a button of a screen.
type option struct {
	at place

	ID   string `yaml:"id"`
	Next string `yaml:"next"`
	// Alert opens the case, Danger and Minor raise its flags, Urgent only makes
	// the officers be called sooner.
	Alert  bool `yaml:"alert"`
	Danger bool `yaml:"danger"`
	Minor  bool `yaml:"minor"`
	Urgent bool `yaml:"urgent"`
	// Needs is what there must be for the option to be offered, as for screens.
	Needs string `yaml:"needs"`
	// Only unticks the others on a screen that takes several.
	Only bool `yaml:"only"`
	// Kind sets what the conversation is about.
	Kind string `yaml:"kind"`
	// Clock is how far ahead of UTC the clock is that the person reads.
	Clock Duration `yaml:"clock"`
	// Open says that it is offered only while the officers have an open case.
	Open bool `yaml:"open"`
	// Forget takes a secret away, "word" or "phrase", and is offered if it is set.
	Forget string `yaml:"forget"`
	// Consent records the agreement to the notice.
	Consent bool `yaml:"consent"`
	// Leave erases the chat, Withdraw all that is kept of the person.
	Leave    bool `yaml:"leave"`
	Withdraw bool `yaml:"withdraw"`
	// Code asks for a receipt code: of "words" or of "digits".
	Code string `yaml:"code"`
	// Back leads to where the person came from.
	Back bool `yaml:"back"`
	// Note is a text key shown once above the next screen.
	Note string `yaml:"note"`
}

// ends reports whether an option leads to no screen of its own.
func (o option) ends() bool { return o.Leave || o.Withdraw || o.Back }

// A place is where something stands in a book, for faults.
type place struct {
	file string
	line int
}

func (p place) String() string {
	if p.line == 0 {
		return p.file
	}
	return fmt.Sprintf("%s:%d", p.file, p.line)
}

// A Fault is one thing that is wrong with a book.
type Fault struct {
	File string
	// Line is 0 if the fault is not in one line.
	Line int
	What string
}

func (f Fault) Error() string { return fmt.Sprintf("%s: %s", place{f.File, f.Line}, f.What) }

// Load reads a book: policy.yaml, one file for each flow beside it, and one
// catalogue for each language in text. The directory is the deployer's own. It
// returns every fault at once, joined, each a [Fault]; how the files fit
// together is checked when each of them can be read. languages are those that are
// on, in the order in which they are offered; without any it is the policy's list.
func Load(files fs.FS, directory Directory, languages ...string) (*Book, error) {
	b := &Book{
		screens:    map[string]*screen{},
		text:       map[string]catalogue{},
		catalogues: map[string]catalogue{},
		directory:  directory,
		codes:      readWords(),
	}
	var faults faults
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("flows: list the book: %w", err)
	}
	if !slices.Contains(names, "policy.yaml") {
		faults.add(place{file: "policy.yaml"}, "the book has no such file; it says when things happen and which screen is first")
	}
	for _, name := range names {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("flows: read the book: %w", err)
		}
		switch name {
		case "policy.yaml":
			faults.parse(name, raw, &b.policy)
			continue
		case fileCasework, fileHTCDS:
			continue
		}
		b.readFlow(name, raw, &faults)
	}
	raw, err := fromShipped(files, fileCasework)
	if err != nil {
		return nil, fmt.Errorf("flows: read the casework: %w", err)
	}
	b.readCasework(raw, &faults)
	if raw, err = fromShipped(files, fileHTCDS); err != nil {
		return nil, fmt.Errorf("flows: read what partners are given: %w", err)
	}
	b.readHTCDS(raw, &faults)
	texts, err := fs.Glob(files, "text/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("flows: list the catalogues: %w", err)
	}
	for _, name := range texts {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("flows: read a catalogue: %w", err)
		}
		language := strings.TrimSuffix(path.Base(name), ".yaml")
		b.catalogues[language] = readCatalogue(name, raw, &faults)
	}
	if b.never, err = readNever(files, &faults); err != nil {
		return nil, err
	}
	if b.canned, err = readCanned(files, &faults); err != nil {
		return nil, err
	}
	if b.languages = languages; len(languages) == 0 {
		b.languages = b.policy.Languages
	}
	for _, l := range b.languages {
		if c, ok := b.catalogues[l]; ok {
			b.text[l] = c
		}
	}
	if len(faults.list) == 0 {
		// Where a file cannot be read, how the files fit together would only
		// be a list of consequences.
		b.check(&faults)
	}
	if err := faults.join(); err != nil {
		return nil, err
	}
	return b, nil
}

// Unreviewed returns the languages that are on and whose texts no native speaker
// has reviewed.
func (b *Book) Unreviewed() []string {
	var out []string
	for _, l := range b.languages {
		if b.text[l].reviewedBy == "" {
			out = append(out, l)
		}
	}
	return out
}

// Languages returns the languages that are on, in the order in which they are
// offered.
func (b *Book) Languages() []string { return slices.Clone(b.languages) }

// Size returns how many screens the book has and how many texts each catalogue.
func (b *Book) Size() (screens, texts int) {
	return len(b.screens), len(b.text[b.policy.Officers].texts)
}

func (b *Book) readFlow(name string, raw []byte, faults *faults) {
	var file struct {
		Flow    string   `yaml:"flow"`
		Short   string   `yaml:"short"`
		Screens []screen `yaml:"screens"`
	}
	root, ok := faults.parse(name, raw, &file)
	if !ok {
		return
	}
	if want := strings.TrimSuffix(name, ".yaml"); file.Flow != want {
		faults.add(place{name, 1}, "the flow is called %q, but the file says %q; they must be the same", file.Flow, want)
		return
	}
	seen := map[string]bool{}
	for i := range file.Screens {
		s := &file.Screens[i]
		node := child(root, "screens", i)
		s.at = place{name, line(node)}
		s.flow = file.Flow
		s.name = file.Flow + "." + s.ID
		if s.ID == "" || strings.Contains(s.ID, ".") {
			faults.add(s.at, "a screen needs an id without a dot")
			continue
		}
		if seen[s.ID] {
			faults.add(s.at, "the screen %q is here twice", s.ID)
			continue
		}
		seen[s.ID] = true
		for j := range s.Options {
			s.Options[j].at = place{name, line(child(node, "options", j))}
		}
		b.screens[s.name] = s
		b.order = append(b.order, s.name)
	}
	for i := range file.Screens {
		s := &file.Screens[i]
		if s.Next == "" && i+1 < len(file.Screens) {
			s.Next = file.Screens[i+1].ID
		}
		s.Next = s.resolve(s.Next)
		if s.Short == "" {
			s.Short = file.Short
		}
		if !s.shown() {
			s.Short = s.resolve(s.Short)
		}
		for j := range s.Options {
			o := &s.Options[j]
			if o.Next == "" && !o.ends() {
				o.Next = s.Next
			} else {
				o.Next = s.resolve(o.Next)
			}
		}
	}
}

// resolve makes a screen's name of one that may leave out the flow.
func (s *screen) resolve(next string) string {
	if next == "" || strings.Contains(next, ".") {
		return next
	}
	return s.flow + "." + next
}

// faults collects what is wrong.
type faults struct{ list []Fault }

func (f *faults) add(at place, format string, args ...any) {
	f.list = append(f.list, Fault{File: at.file, Line: at.line, What: fmt.Sprintf(format, args...)})
}

// parse reads one document strictly into v and returns its root node.
func (f *faults) parse(name string, raw []byte, v any) (*yaml.Node, bool) {
	var root yaml.Node
	if err := yaml.Unmarshal(raw, &root); err != nil {
		f.yaml(name, err)
		return nil, false
	}
	if len(root.Content) == 0 {
		f.add(place{file: name}, "the file is empty")
		return nil, false
	}
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(v); err != nil {
		f.yaml(name, err, spelling.Keys(v)...)
		return root.Content[0], false
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		f.add(place{file: name}, "the file holds more than one document")
	}
	return root.Content[0], true
}

// yaml takes over the parser's errors, one fault each, with their lines.
// A key that is not known is said with the nearest one of those that are.
func (f *faults) yaml(name string, err error, known ...string) {
	var te *yaml.TypeError
	if !errors.As(err, &te) {
		f.line(name, strings.TrimPrefix(err.Error(), "yaml: "))
		return
	}
	for _, what := range te.Errors {
		if before, _, unknown := strings.Cut(what, " not found in type "); unknown {
			what = before + " not found"
			if meant := spelling.Nearest(before[strings.LastIndexByte(before, ' ')+1:], known); meant != "" {
				what += fmt.Sprintf("; is %q meant?", meant)
			}
		}
		f.line(name, what)
	}
}

func (f *faults) line(name, what string) {
	var line int
	if _, err := fmt.Sscanf(what, "line %d:", &line); err == nil {
		_, what, _ = strings.Cut(what, ": ")
	}
	what, _, _ = strings.Cut(what, " in type ")
	f.add(place{name, line}, "%s", what)
}

func (f *faults) join() error {
	slices.SortStableFunc(f.list, func(x, y Fault) int {
		return cmp.Or(strings.Compare(x.File, y.File), x.Line-y.Line)
	})
	var all []error
	for _, fault := range f.list {
		all = append(all, fault)
	}
	return errors.Join(all...)
}

// child returns the i-th element of the list under a key of a mapping.
func child(n *yaml.Node, key string, i int) *yaml.Node {
	v := value(n, key)
	if v == nil || i >= len(v.Content) {
		return nil
	}
	return v.Content[i]
}

func value(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func line(n *yaml.Node) int {
	if n == nil {
		return 0
	}
	return n.Line
}

// OfficerText returns a text in the officers' language, for what is said to an
// officer outside of a case, with the values of its placeholders in pairs.
func (b *Book) OfficerText(key string, pairs ...string) string {
	return b.say(b.policy.Officers, key, pairs...)
}
