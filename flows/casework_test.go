package flows_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"suar/flows"
)

// TestCaseworkFaults: a deployer's casework is read as strictly as the rest of the
// book, and a book without it has the shipped one.
func TestCaseworkFaults(t *testing.T) {
	right := "flags: {most_days: 7, kinds: [watched]}\n"
	for name, tt := range map[string]struct{ file, want string }{
		"right":              {"sheets: [{id: needs, values: [met], items: [food, legal]}]\n" + right, ""},
		"no sheets":          {right, ""},
		"an unknown field":   {"sheeets: []\n" + right, "sheeets"},
		"no id":              {"sheets: [{values: [met], items: [food]}]\n" + right, "id of its own"},
		"an id twice":        {"sheets: [{id: needs, values: [met], items: [food]}, {id: needs, values: [met], items: [food]}]\n" + right, "id of its own"},
		"an id that is ours": {"sheets: [{id: consent, values: [met], items: [food]}]\n" + right, "id of its own"},
		"no items":           {"sheets: [{id: needs, values: [met]}]\n" + right, "items"},
		"too many items":     {"sheets: [{id: needs, values: [met], items: [" + strings.Repeat("a, ", 21) + "]}]\n" + right, "1 to 20"},
		"no values":          {"sheets: [{id: needs, items: [food]}]\n" + right, "values"},
		"an item twice":      {"sheets: [{id: needs, values: [met], items: [food, food]}]\n" + right, "here twice"},
		"an item named note": {"sheets: [{id: needs, values: [met], items: [note]}]\n" + right, "small letters"},
		"an item with a dot": {"sheets: [{id: needs, values: [met], items: [a.b]}]\n" + right, "small letters"},
		"a missing text":     {"sheets: [{id: needs, values: [met], items: [yacht]}]\n" + right, "work.needs.yacht"},
		"no flags' days":     {"flags: {kinds: [watched]}\n", "most_days"},
		"a flag of no text":  {"flags: {most_days: 7, kinds: [bored]}\n", "work.flag.bored"},
	} {
		files := shipped(t)
		files["casework.yaml"] = &fstest.MapFile{Data: []byte(tt.file)}
		files["htcds.yaml"] = &fstest.MapFile{Data: []byte("standard: none\n")}
		_, err := flows.Load(files, flows.Directory{})
		switch {
		case tt.want == "" && err != nil && !onlyUnused(err):
			t.Errorf("%s: %v", name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	for name, tt := range map[string]struct{ fields, want string }{
		"right":                 {"{id: needs, name: a, sheet: needs, value: needed, values: {food: x}}", ""},
		"no name":               {"{id: needs, sheet: needs, value: needed}", "name of its own"},
		"a name twice":          {"{id: needs, name: con_Consent, fact: area}", "name of its own"},
		"from nowhere":          {"{id: needs, name: a}", "is from one of"},
		"from two":              {"{id: needs, name: a, text: true, fact: area}", "is from one of"},
		"a sheet that is not":   {"{id: needs, name: a, sheet: yachts, value: needed}", "no sheet"},
		"a value that is not":   {"{id: needs, name: a, sheet: needs, value: lost}", "no sheet"},
		"an item that is not":   {"{id: needs, name: a, sheet: needs, value: needed, values: {yacht: x}}", "no item"},
		"an id twice":           {"{id: needs, name: a, fact: area}, {id: needs, name: b, fact: area}", "here twice"},
		"a field without words": {"{id: yacht, name: a, fact: area}", "work.consent.yacht"},
	} {
		files := shipped(t)
		files["htcds.yaml"] = &fstest.MapFile{Data: []byte("standard: X\nfixed: {con_Consent: \"Yes\"}\nfields: [" + tt.fields + "]\n")}
		_, err := flows.Load(files, flows.Directory{})
		switch {
		case tt.want == "" && err != nil && !onlyUnused(err):
			t.Errorf("fields, %s: %v", name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("fields, %s: %v, want %q", name, err, tt.want)
		}
	}
	files := shipped(t)
	delete(files, "casework.yaml")
	delete(files, "htcds.yaml")
	if _, err := flows.Load(files, flows.Directory{}); err != nil {
		t.Errorf("a book without casework: %v", err)
	}
}

// onlyUnused reports whether all that is wrong is that the catalogues still have
// texts of what was taken out.
func onlyUnused(err error) bool {
	for line := range strings.Lines(err.Error()) {
		if !strings.Contains(line, "is not used") || !strings.Contains(line, `"work.`) {
			return false
		}
	}
	return true
}
