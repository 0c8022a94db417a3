package flows

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// fileHTCDS says what a partner is given of a case, and under which names.
const fileHTCDS = "htcds.yaml"

// A htcds is the file htcds.yaml of a book.
type htcds struct {
	Standard string            `yaml:"standard"`
	Fixed    map[string]string `yaml:"fixed"`
	Fields   []packetField     `yaml:"fields"`
}

// A packetField is something that the person can consent to give to a partner.
type packetField struct {
	at place

	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	// Where it is from: one of these four.
	Fact     string `yaml:"fact"`
	Sheet    string `yaml:"sheet"`
	Language bool   `yaml:"language"`
	Text     bool   `yaml:"text"`
	// Value is which value of the sheet counts; Values say what an item is called,
	// and without any it is called by its id. Items that have no name there are left
	// out.
	Value  string            `yaml:"value"`
	Values map[string]string `yaml:"values"`
}

// readHTCDS reads what partners are given.
func (b *Book) readHTCDS(raw []byte, faults *faults) {
	root, ok := faults.parse(fileHTCDS, raw, &b.packets)
	if !ok {
		return
	}
	names := map[string]bool{}
	for name := range b.packets.Fixed {
		names[name] = true
	}
	var ids []string
	for i := range b.packets.Fields {
		f := &b.packets.Fields[i]
		f.at = place{fileHTCDS, line(child(root, "fields", i))}
		ids = append(ids, f.ID)
		if f.Name == "" || names[f.Name] {
			faults.add(f.at, "each field needs a name of its own")
		}
		names[f.Name] = true
		from := 0
		for _, is := range []bool{f.Fact != "", f.Sheet != "", f.Language, f.Text} {
			if is {
				from++
			}
		}
		sheet, known := b.sheet(f.Sheet)
		switch {
		case from != 1:
			faults.add(f.at, "a field is from one of fact, sheet, language and text")
		case f.Sheet != "" && (!known || !slices.Contains(sheet.Values, f.Value)):
			faults.add(f.at, "there is no sheet %q with a value %q in %s", f.Sheet, f.Value, fileCasework)
		}
		for _, item := range slices.Sorted(maps.Keys(f.Values)) {
			if !slices.Contains(sheet.Items, item) {
				faults.add(f.at, "the sheet %q has no item %q", f.Sheet, item)
			}
		}
	}
	checkNames(faults, place{fileHTCDS, 1}, "field", ids)
	if len(ids) > mostItems {
		faults.add(place{fileHTCDS, 1}, "%d fields are more than a dialog shows; %d fit", len(ids), mostItems)
	}
}

// A packet is what a partner is given: JSON, and only what the person consented to.
type packet struct {
	Standard string `json:"standard"`
	Case     string `json:"case"`
	Partner  string `json:"partner"`
	Issued   string `json:"issued"`
	Expires  string `json:"expires"`
	Notice   string `json:"notice"`
	// Consent is to which fields, when and how.
	Consent packetConsent  `json:"consent"`
	Record  map[string]any `json:"record"`
}

type packetConsent struct {
	Fields []string `json:"fields"`
	On     string   `json:"on"`
	How    string   `json:"how"`
}

// packetNotice stands in every packet.
const packetNotice = "Potential case, not a finding. For the named partner only. Erase it when it expires or when the referral is revoked."

// pack makes the packet for a partner, of what was consented to and is known.
func (b *Book) pack(s State, at, expires time.Time, partner string, consent Consent, text string) []byte {
	p := packet{
		Standard: b.packets.Standard, Case: s.Case.ID.Code(), Partner: b.partnerName(partner),
		Issued: at.UTC().Format(time.RFC3339), Expires: expires.UTC().Format(time.RFC3339), Notice: packetNotice,
		Consent: packetConsent{Fields: []string{}, On: consent.Day, How: consent.How},
		Record:  map[string]any{},
	}
	for name, v := range b.packets.Fixed {
		p.Record[name] = v
	}
	for _, f := range b.packets.Fields {
		if !slices.Contains(consent.Fields, f.ID) {
			continue
		}
		p.Consent.Fields = append(p.Consent.Fields, f.Name)
		if v := b.packed(s, f, text); v != nil {
			p.Record[f.Name] = v
		}
	}
	raw, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		panic("flows: a packet cannot be written: " + err.Error()) // It holds nothing but texts.
	}
	return append(raw, '\n')
}

// packable is all that a packet made now would say, whoever it is for.
func (b *Book) packable(s State) string {
	all := []byte(s.Case.ID.Code())
	for _, p := range b.directory.Partners {
		if c, ok := s.Case.work().Consents[p.ID]; ok {
			all = append(all, b.pack(s, time.Time{}, time.Time{}, p.ID, c, "")...)
		}
	}
	return string(all)
}

// packed is the value of a field, nil if nothing is known.
func (b *Book) packed(s State, f packetField, text string) any {
	facts := s.facts()
	switch {
	case f.Text && text != "":
		return text
	case f.Language && facts.Language != "":
		return facts.Language
	case f.Fact != "":
		a, ok := facts.answer(f.Fact)
		if !ok || len(a.Options) == 0 {
			return nil
		}
		return strings.Join(a.Options, ";")
	case f.Sheet != "":
		sheet, _ := b.sheet(f.Sheet)
		var items []string
		for _, item := range sheet.Items {
			m, ok := s.Case.mark(sheet, item)
			name := item
			if len(f.Values) > 0 {
				name = f.Values[item]
			}
			if ok && m.Value == f.Value && name != "" && !slices.Contains(items, name) {
				items = append(items, name)
			}
		}
		if len(items) > 0 {
			return items
		}
	}
	return nil
}
