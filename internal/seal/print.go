package seal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// WriteText writes the transcript for a reader: a line of what it is, the
// entries, and in plain words what is proven. Text from outside is made inert
// for a terminal: what would move the cursor, change the colour or the direction
// of writing is shown as a code, and further lines of a text are indented, so
// that no text can pass for another entry. witnessed, if not empty, says that
// the transcript was compared with that witness, and fault what came of it.
func (t Transcript) WriteText(w io.Writer, witnessed string, fault error) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Case %s, opened %s. Times are hours, in UTC.\n\n", t.Case.Code(), t.Opened.Format(dateOnly))
	for i, e := range t.Entries {
		if gap := t.gapBefore(i); gap != "" {
			fmt.Fprintf(&b, "[%s]\n\n", gap)
		}
		fmt.Fprintf(&b, "#%d  %s  %s", e.Seq, e.At.UTC().Format("2006-01-02 15h"), inertLine(e.From))
		if e.Kind != "" {
			fmt.Fprintf(&b, " (%s)", inertLine(e.Kind))
		}
		if !e.Proven {
			b.WriteString("  [NOT PROVEN]")
		}
		if !e.Whole {
			b.WriteString("  [A PART IS MISSING]")
		}
		b.WriteByte('\n')
		if e.Text != "" {
			for line := range strings.SplitSeq(e.Text, "\n") {
				line = Inert(strings.TrimSuffix(line, "\r"))
				b.WriteString(strings.TrimRight("    "+line, " ") + "\n")
			}
		}
		b.WriteByte('\n')
	}
	t.writeVerdict(&b, witnessed, fault)
	_, err := w.Write(b.Bytes())
	return err
}

func (t Transcript) writeVerdict(b *bytes.Buffer, witnessed string, fault error) {
	for _, f := range t.Faults {
		if f.Position == 0 {
			fmt.Fprintf(b, "FAULT (%s): %s.\n", f.Kind, f.Detail)
			continue
		}
		fmt.Fprintf(b, "FAULT at record %d (%s): %s.\n", f.Position, f.Kind, f.Detail)
	}
	switch {
	case len(t.Faults) == 0:
		fmt.Fprintf(b, "Verified: all %d records are unchanged, in order and without a gap.\n", t.Count)
	case t.Proven < t.Count:
		fmt.Fprintf(b, "NOT VERIFIED: of %d records the first %d are proven; beyond them nothing is.\n", t.Count, t.Proven)
	default:
		fmt.Fprintf(b, "The order of all %d records is proven, but not all can be read.\n", t.Count)
	}
	fmt.Fprintf(b, "Witness: %s\nHead:    %x\n", t.Witness(), t.Head())
	switch {
	case witnessed == "":
		b.WriteString("The end was not compared with a witness: a cut end would not show. Compare the\nwitness with the one on the case's card, or give that one with --witness.\n")
	case fault != nil:
		fmt.Fprintf(b, "The witness %s does NOT fit: %v.\n", Inert(witnessed), fault)
	default:
		fmt.Fprintf(b, "The witness %s fits: up to there nothing was cut off or replaced.\n", Inert(witnessed))
	}
}

// WriteJSON writes the transcript as one JSON object, its shape that of
// transcriptJSON. What a terminal could take for a command is escaped.
func (t Transcript) WriteJSON(w io.Writer, witnessed string, fault error) error {
	out := transcriptJSON{
		Case: t.Case, Code: t.Case.Code(), Epoch: t.Epoch, Opened: t.Opened.Format(dateOnly),
		Entries: []entryOut{}, Count: t.Count, Proven: t.Proven,
		Head: hex.EncodeToString(t.Head()), Witness: t.Witness(),
		Roster: hex.EncodeToString(t.Roster[:]),
		Faults: append([]Fault{}, t.Faults...),
	}
	for _, e := range t.Entries {
		out.Entries = append(out.Entries, entryOut{e.Seq, e.Parts, e.At.UTC(), e.From, e.Kind, e.Text, e.Whole, e.Proven})
	}
	if witnessed != "" {
		out.Compared = &comparedOut{Witness: witnessed, Fits: fault == nil}
		if fault != nil {
			out.Compared.Fault = fault.Error()
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	_, err := w.Write(escapeJSON(b.Bytes()))
	return err
}

type transcriptJSON struct {
	Case     CaseID       `json:"case"`
	Code     string       `json:"code"`
	Epoch    uint32       `json:"epoch"`
	Opened   string       `json:"opened"`
	Roster   string       `json:"roster_sha256"`
	Entries  []entryOut   `json:"entries"`
	Count    int          `json:"count"`
	Proven   int          `json:"proven"`
	Head     string       `json:"head"`
	Witness  string       `json:"witness"`
	Faults   []Fault      `json:"faults"`
	Compared *comparedOut `json:"compared,omitempty"`
}

type entryOut struct {
	Seq    uint64    `json:"seq"`
	Parts  int       `json:"parts"`
	At     time.Time `json:"at"`
	From   string    `json:"from"`
	Kind   string    `json:"kind"`
	Text   string    `json:"text"`
	Whole  bool      `json:"whole"`
	Proven bool      `json:"proven"`
}

type comparedOut struct {
	Witness string `json:"witness"`
	Fits    bool   `json:"fits"`
	Fault   string `json:"fault,omitempty"`
}

// Inert returns a line of text as a terminal may show it: control characters,
// format characters that turn or hide text, and line separators become codes
// such as <U+202E>. The joiners that scripts and emoji need stay, and so does
// the tab, as a space.
func Inert(line string) string {
	var b strings.Builder
	for _, r := range line {
		switch {
		case r == '\t':
			b.WriteByte(' ')
		case active(r):
			fmt.Fprintf(&b, "<U+%04X>", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func inertLine(s string) string { return Inert(strings.ReplaceAll(s, "\n", " ")) }

// active reports whether r does something to a terminal rather than show.
func active(r rune) bool {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d'
	if r == zeroWidthNonJoiner || r == zeroWidthJoiner {
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
}

// escapeJSON escapes what active names. In JSON such characters are only ever
// within strings, except the newlines between the fields.
func escapeJSON(doc []byte) []byte {
	var b bytes.Buffer
	for _, r := range string(doc) {
		switch {
		case r == '\n' || !active(r):
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.Bytes()
}
