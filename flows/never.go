package flows

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// What must never be said to a person is in the files never/*.yaml of a book, one
// for each language in which officers write. A rule there holds patterns of words;
// the words of a reply that match one are not sent before the officer said so once
// more, see doubt.go. A rule finds what is said in haste, not what somebody wants to
// hide from it, and it is a question, not a lock.

// A never is the rules of one language.
type never struct {
	file string
	// not are words that take a pattern back where they stand shortly before it, but
	// are words that begin a new clause.
	not, but map[string]bool
	// same says what a word, or several, are read as.
	same   map[string][]string
	phrase [][2][]string
	rules  []neverRule
}

// A neverRule is one thing not to say.
type neverRule struct {
	ID string `yaml:"id"`
	// Name says what it is, in the language of the file: "a promise of rescue". Better
	// is a sentence to say instead.
	Name   string `yaml:"name"`
	Better string `yaml:"better"`
	// Always says that a word such as "not" before it changes nothing.
	Always bool `yaml:"always"`
	// Asked says that a question is as bad as a statement.
	Asked bool `yaml:"asked"`
	// Unless are words that take a match back as "not" does, Anywhere such that do so
	// from anywhere in the sentence.
	Unless   []string `yaml:"unless"`
	Anywhere []string `yaml:"anywhere"`
	Patterns []string `yaml:"patterns"`

	unless, anywhere map[string]bool
	patterns         []wordPattern
}

// readNever reads the rules of a book. A book of the deployer's own that has none
// has those that come with the program: nobody loses them by writing an intake.
func readNever(files fs.FS, faults *faults) (map[string]never, error) {
	names, err := fs.Glob(files, "never/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("flows: list the never rules: %w", err)
	}
	if len(names) == 0 {
		files = Shipped()
		if names, err = fs.Glob(files, "never/*.yaml"); err != nil {
			return nil, fmt.Errorf("flows: list the shipped never rules: %w", err)
		}
	}
	out := map[string]never{}
	for _, name := range names {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("flows: read the never rules: %w", err)
		}
		out[strings.TrimSuffix(path.Base(name), ".yaml")] = parseNever(name, raw, faults)
	}
	return out, nil
}

func parseNever(name string, raw []byte, faults *faults) never {
	var file struct {
		// Reviewed says that a native speaker who works with survivors has read it.
		Reviewed bool              `yaml:"reviewed"`
		Not      []string          `yaml:"not"`
		But      []string          `yaml:"but"`
		Same     map[string]string `yaml:"same"`
		Rules    []neverRule       `yaml:"rules"`
	}
	n := never{file: name}
	root, ok := faults.parse(name, raw, &file)
	if !ok {
		return n
	}
	n.not, n.but, n.same = set(file.Not), set(file.But), map[string][]string{}
	for _, from := range slices.Sorted(maps.Keys(file.Same)) {
		to := strings.Fields(file.Same[from])
		if words := strings.Fields(from); len(words) > 1 {
			n.phrase = append(n.phrase, [2][]string{words, to})
			continue
		}
		n.same[from] = to
	}
	seen := map[string]bool{}
	for i, r := range file.Rules {
		at := place{name, line(child(root, "rules", i))}
		switch {
		case r.ID == "" || seen[r.ID]:
			faults.add(at, "a rule needs an id of its own")
		case r.Name == "" || r.Better == "" || len(r.Patterns) == 0:
			faults.add(at, "the rule %q needs a name, a better sentence and at least one pattern", r.ID)
		}
		seen[r.ID] = true
		r.unless, r.anywhere = set(r.Unless), set(r.Anywhere)
		for _, text := range r.Patterns {
			p, err := parsePattern(text)
			if err != nil {
				faults.add(at, "the pattern %q: %v", text, err)
				continue
			}
			r.patterns = append(r.patterns, p)
		}
		n.rules = append(n.rules, r)
	}
	return n
}

func set(words []string) map[string]bool {
	out := map[string]bool{}
	for _, w := range words {
		out[w] = true
	}
	return out
}

// breaks returns the ids of the never rules that words for a person break, in the
// order in which the files have them; none if they break none.
func (b *Book) breaks(text string) []string {
	var out []string
	sentences := cutSentences(text)
	for _, language := range slices.Sorted(maps.Keys(b.never)) {
		n := b.never[language]
		for _, s := range sentences {
			s = n.canonical(s)
			for _, r := range n.rules {
				if !slices.Contains(out, r.ID) && r.broken(s, n.not) {
					out = append(out, r.ID)
				}
			}
		}
	}
	return out
}

// neverRule returns a rule in a language; one that is not there in it, in that of the
// officers, or in any.
func (b *Book) neverRule(id, language string) neverRule {
	for _, l := range append([]string{language, b.policy.Officers, "en"}, slices.Sorted(maps.Keys(b.never))...) {
		for _, r := range b.never[l].rules {
			if r.ID == id {
				return r
			}
		}
	}
	return neverRule{}
}

// checkNever reports where the rules of two languages do not fit together.
func (b *Book) checkNever(faults *faults) {
	languages := slices.Sorted(maps.Keys(b.never))
	for _, language := range languages {
		for _, other := range languages {
			for _, r := range b.never[other].rules {
				if !slices.ContainsFunc(b.never[language].rules, func(x neverRule) bool { return x.ID == r.ID }) {
					faults.add(place{file: b.never[language].file}, "the rule %q is missing, which %s has", r.ID, b.never[other].file)
				}
			}
		}
	}
}
