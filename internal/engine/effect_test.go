package engine

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/internal/caseid"
)

// kindsIn returns what the kind methods of a file of package flows give, by
// the name of the type.
func kindsIn(t *testing.T, file string) map[string]string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "../../flows/"+file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{}
	for _, decl := range parsed.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Recv == nil || fn.Name.Name != "kind" {
			continue
		}
		literal := fn.Body.List[0].(*ast.ReturnStmt).Results[0].(*ast.BasicLit)
		kind, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		kinds[fn.Recv.List[0].Type.(*ast.Ident).Name] = kind
	}
	return kinds
}

func typeName(v any) string { return strings.TrimPrefix(reflect.TypeOf(v).String(), "flows.") }

// TestEffectsOnDisk writes and reads one of each effect of package flows that
// can be in an outbox.
func TestEffectsOnDisk(t *testing.T) {
	t.Parallel()
	effects := []flows.Effect{
		flows.Show{Quiet: true},
		flows.Say{Post: "p", Text: "t", Rows: [][]flows.Button{{{Label: "e", Data: "d"}}}},
		flows.Amend{Message: "m", Text: "t", Rows: [][]flows.Button{{{Label: "e", Data: "d"}}}},
		flows.Erase{Messages: []flows.MessageID{"m", "n"}},
		flows.Open{},
		flows.Update{Last: &flows.Card{Title: "t", Lines: []flows.Line{{Label: "l", Value: "v"}}}},
		flows.Relay{Label: "l", Text: "t"},
		flows.Tell{Text: "t"},
		flows.Page{Level: 2, Text: "t"},
		flows.Mark{Post: "p", Sign: flows.SignHeld},
		flows.Fetch{Media: "m", Kind: flows.MediaVoice, File: "f"},
		flows.Offer{Media: "m", Text: "t", Label: "l"},
		flows.Present{Media: "m", Type: "image/png", Name: "n", Text: "t"},
		flows.Refer{Case: caseid.ID{1, 2}, N: 3, Recipient: "r", Name: "n", Text: "t", Content: "c"},
		flows.Retract{Post: "p"},
		flows.Restate{Post: "p", Text: "t"},
		flows.Prompt{About: "a", Text: "t", Actions: []flows.Action{{Name: "n", Choice: "c", Label: "l"}}},
		flows.Drop{Media: "m"},
		flows.Hash{For: "f", Note: "n", Text: "t", Index: true},
		flows.Hand{Into: "c", Case: flows.Case{Thread: "p"}, Facts: flows.Facts{Language: "id"}, Replies: []flows.Reply{{Post: "p"}}},
		flows.Look{Note: "n", Code: "c"},
		flows.Seek{Sum: "s", Text: "t"},
		flows.Shred{Case: caseid.ID{1, 2}},
		flows.Audit{What: "w", Code: "c", By: flows.Officer{ID: "o", Name: "siti"}, With: []flows.Officer{{ID: "p", Name: "budi"}}, Count: 2},
		flows.Check{For: "f", Note: "n", Sums: []string{"s"}, Text: "t"},
	}
	kinds := kindsIn(t, "effect.go")
	for _, ef := range effects {
		name := typeName(ef)
		delete(kinds, name)
		text, err := json.Marshal(newEffectJSON(ef))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var back effectJSON
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(ef, back.Effect); diff != "" {
			t.Errorf("%s is not read as it was written (-want +got):\n%s", name, diff)
		}
	}
	if diff := cmp.Diff(map[string]string{"Record": flows.EffectKind(flows.Record{})}, kinds); diff != "" {
		t.Errorf("effects that the outbox does not know (-want +got):\n%s", diff)
	}
	var unknown effectJSON
	if err := json.Unmarshal([]byte(`{"kind":"later","effect":{}}`), &unknown); err == nil {
		t.Error("an effect of an unknown kind was read")
	}
}
