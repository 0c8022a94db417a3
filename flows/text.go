package flows

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A catalogue is the texts of one language.
type catalogue struct {
	file       string
	name       string
	reviewedBy string
	// short says that it has only the texts of the short way, see short.go.
	short bool
	// never are words that no text for a person may have.
	never []string
	texts map[string]string
	lines map[string]int
}

// placeholder is what a text leaves to be filled in.
var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

func readCatalogue(name string, raw []byte, faults *faults) catalogue {
	var file struct {
		Name string `yaml:"name"`
		// ReviewedBy names who, speaking the language natively, has read every
		// text; empty means nobody has.
		ReviewedBy string            `yaml:"reviewed_by"`
		Never      []string          `yaml:"never"`
		Short      bool              `yaml:"short"`
		Texts      map[string]string `yaml:"texts"`
	}
	c := catalogue{file: name, lines: map[string]int{}}
	root, ok := faults.parse(name, raw, &file)
	if texts := value(root, "texts"); texts != nil && texts.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(texts.Content); i += 2 {
			c.lines[texts.Content[i].Value] = texts.Content[i].Line
		}
	}
	if !ok {
		return c
	}
	c.short = file.Short
	c.name, c.reviewedBy, c.never, c.texts = file.Name, file.ReviewedBy, file.Never, file.Texts
	if c.name == "" {
		faults.add(place{name, 1}, "the catalogue has no name; write the language's own name for itself")
	}
	return c
}

// holes returns the placeholders of a text, sorted.
func holes(text string) []string {
	h := placeholder.FindAllString(text, -1)
	slices.Sort(h)
	return slices.Compact(h)
}

// say returns a text in a language, with its placeholders filled in from pairs
// of name and value. Before a language is chosen, and where a short catalogue lacks
// it, it is said in every complete one.
func (b *Book) say(language, key string, pairs ...string) string {
	if _, ok := b.text[language].texts[key]; !ok {
		var all []string
		for _, l := range b.Complete() {
			if _, ok := b.text[l].texts[key]; !ok {
				continue // A book with such a fault is not loaded.
			}
			if t := b.say(l, key, pairs...); !slices.Contains(all, t) {
				all = append(all, t)
			}
		}
		sep := "\n\n"
		if !strings.Contains(strings.Join(all, ""), "\n") && len(strings.Join(all, "")) < 48 {
			sep = " · "
		}
		return strings.Join(all, sep)
	}
	t := b.text[language].texts[key]
	for i := 0; i+1 < len(pairs); i += 2 {
		t = strings.ReplaceAll(t, "{"+pairs[i]+"}", pairs[i+1])
	}
	return t
}

// label is the text of an option's button.
func (s *screen) label(o option) string { return s.name + "." + o.ID }

// has reports whether there is what a screen or an option needs.
func (b *Book) has(needs, language string, at time.Time) bool {
	_, spoken := b.text[language]
	choice := len(b.languages) > 1
	switch needs {
	case "numbers":
		return b.numbers("", at) != ""
	case "language":
		return choice && spoken
	case "unspoken":
		return choice && !spoken
	}
	return true
}

// Text returns a text of a language that is on, as it stands in its catalogue, "" if
// there is none: for what is said to people outside of a conversation.
func (b *Book) Text(language, key string) string { return b.text[language].texts[key] }
