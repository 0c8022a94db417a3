package flows_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"suar/flows"
)

func aForm() flows.Form {
	return flows.Form{Fields: []flows.Field{
		{Name: "line", Kind: flows.FieldText},
		{Name: "short", Kind: flows.FieldText, Max: 5, Optional: true},
		{Name: "area", Kind: flows.FieldArea, Optional: true},
		{Name: "choice", Kind: flows.FieldChoice, Options: []flows.Option{{Value: "a"}, {Value: "b c"}}},
		{Name: "maybe", Kind: flows.FieldChoice, Optional: true, Options: []flows.Option{{Value: "a"}}},
		{Name: "bool", Kind: flows.FieldBool},
		{Name: "date", Kind: flows.FieldDate, Optional: true},
		{Name: "who", Kind: flows.FieldOfficer, Optional: true},
	}}
}

func TestFormFaults(t *testing.T) {
	right := map[string]string{"line": "x", "choice": "b c"}
	for name, tt := range map[string]struct {
		field, value string
		want         bool // a fault
	}{
		"all right":                 {"line", "x", false},
		"150 runes in a line":       {"line", strings.Repeat("é", 150), false},
		"151 runes in a line":       {"line", strings.Repeat("é", 151), true},
		"as many as it takes":       {"short", "ééééé", false},
		"more than it takes":        {"short", "éééééé", true},
		"3,000 runes in an area":    {"area", strings.Repeat("😀", 3000), false},
		"16,384 runes in an area":   {"area", strings.Repeat("😀", 16384), true},
		"nothing":                   {"line", "", true},
		"only what is not seen":     {"line", "\u200b\u202e \x00", true},
		"no choice":                 {"choice", "", true},
		"another choice":            {"choice", "c", true},
		"a choice with spaces":      {"choice", " b c ", false},
		"an optional choice":        {"maybe", "", false},
		"another optional choice":   {"maybe", "b", true},
		"a box":                     {"bool", "true", false},
		"a box of another kind":     {"bool", "yes", true},
		"a day":                     {"date", "2028-02-29", false},
		"a day that is none":        {"date", "2027-02-29", true},
		"a day and a time":          {"date", "2026-11-24 05:00", true},
		"somebody":                  {"who", "an id", false},
		"a field that is not there": {"other", "x", true},
	} {
		values := maps.Clone(right)
		values[tt.field] = tt.value
		f := aForm()
		faults := f.Faults(f.Clean(values))
		if got := faults[tt.field] != ""; got != tt.want || len(faults) > 1 || len(faults) == 0 && faults != nil {
			t.Errorf("%s: faults %v, want one: %v", name, faults, tt.want)
		}
	}
}

// TestFormIsTotal: whatever comes, nothing is taken that the form does not offer.
func TestFormIsTotal(t *testing.T) {
	kinds := []flows.FieldKind{flows.FieldText, flows.FieldArea, flows.FieldChoice, flows.FieldBool, flows.FieldDate, flows.FieldOfficer, "?"}
	text := rapid.OneOf(rapid.String(), rapid.StringN(0, 4000, -1), rapid.SampledFrom([]string{"", "true", "false", "2026-11-24", "a", "b", "\xff\x00", "\r\n", "a\u2028b"}))
	rapid.Check(t, func(t *rapid.T) {
		var f flows.Form
		values := map[string]string{}
		for range rapid.IntRange(0, 5).Draw(t, "fields") {
			field := flows.Field{
				Name: rapid.SampledFrom([]string{"a", "b", "c", ""}).Draw(t, "name"), Kind: rapid.SampledFrom(kinds).Draw(t, "kind"),
				Optional: rapid.Bool().Draw(t, "optional"), Max: rapid.IntRange(0, 10).Draw(t, "max"),
			}
			for _, o := range rapid.SliceOfN(text, 0, 3).Draw(t, "options") {
				field.Options = append(field.Options, flows.Option{Value: o})
			}
			f.Fields = append(f.Fields, field)
		}
		for range rapid.IntRange(0, 5).Draw(t, "values") {
			values[rapid.SampledFrom([]string{"a", "b", "c", "d", ""}).Draw(t, "of")] = text.Draw(t, "value")
		}
		clean := f.Clean(values)
		if diff := cmp.Diff(clean, f.Clean(clean)); diff != "" {
			t.Fatalf("cleaning twice differs:\n%s", diff)
		}
		if f.Faults(clean) != nil {
			return
		}
		for name, v := range clean {
			if v == "" || !utf8.ValidString(v) || strings.ContainsAny(v, "\x00\r\u2028") || utf8.RuneCountInString(v) > 3000 {
				t.Fatalf("%q is taken", v)
			}
			for _, field := range f.Fields {
				if field.Name != name {
					continue
				}
				_, err := time.Parse(flows.DateLayout, v)
				switch {
				case field.Kind == flows.FieldChoice && !slices.Contains(field.Options, flows.Option{Value: v}),
					field.Kind == flows.FieldBool && v != "true" && v != "false",
					field.Kind == flows.FieldDate && err != nil,
					field.Kind == flows.FieldText && strings.Contains(v, "\n"):
					t.Fatalf("%q is taken by a %s", v, field.Kind)
				}
			}
		}
		for _, field := range f.Fields {
			if clean[field.Name] == "" && !field.Optional {
				t.Fatalf("%q may be missing", field.Name)
			}
		}
	})
}
