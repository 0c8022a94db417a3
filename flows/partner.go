package flows

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A Partner is an organisation that a case can be referred to. Only the deployer
// knows any.
type Partner struct {
	// ID is a name of small letters, Name what officers call it.
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	// Recipient is the public half of the partner's age key: what is packed for it
	// opens with the private half only.
	Recipient string `yaml:"recipient"`
	// Languages are those in which the partner can talk to people.
	Languages []string `yaml:"languages"`
}

// mostPartners is how many a dialog lists.
const mostPartners = 20

// checkPartners finds what is wrong with the partners. Whether a recipient is a key
// is for who knows keys.
func checkPartners(faults *faults, name string, lines func(i int) int, partners []Partner) {
	seen := map[string]bool{}
	for i, p := range partners {
		at := place{name, lines(i)}
		switch {
		case !isName(p.ID) || seen[p.ID]:
			faults.add(at, "each partner needs an id of its own, of small letters")
		case p.Name == "" || strings.ContainsAny(p.Name, "\n\r@`") || utf8.RuneCountInString(p.Name) > 40:
			faults.add(at, "the partner needs a name of one line, 40 characters at most")
		case !strings.HasPrefix(p.Recipient, "age1") || strings.ContainsAny(p.Recipient, " \n\r\t"):
			faults.add(at, "the partner needs a recipient: the public half of its age key, which begins with age1")
		}
		seen[p.ID] = true
		for _, l := range p.Languages {
			if l == "" || len(l) > 20 || strings.ContainsAny(l, " \n\r") {
				faults.add(at, "languages are short names such as id, en or lo")
			}
		}
	}
	if len(partners) > mostPartners {
		faults.add(place{name, 1}, "%d partners are more than a dialog lists; %d fit", len(partners), mostPartners)
	}
}

// partner returns a partner by its id.
func (b *Book) partner(id string) (Partner, bool) {
	i := slices.IndexFunc(b.directory.Partners, func(p Partner) bool { return p.ID == id })
	if i < 0 {
		return Partner{}, false
	}
	return b.directory.Partners[i], true
}

// partnerName is what officers call a partner, its id if the directory has it no
// more.
func (b *Book) partnerName(id string) string {
	if p, ok := b.partner(id); ok {
		return p.Name
	}
	return id
}
