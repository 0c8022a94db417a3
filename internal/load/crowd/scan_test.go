package crowd

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzMembers holds the scanner to encoding/json: of every object that is valid
// the same members are found, and what is not valid ends.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` { "a" : 1 , "b" : "x\"}]," } `, `{"a":{"b":[1,2,{"c":"]"}]},"d":null,"e":[],"f":-1.5e3,"g":true}`,
		`{"a":"\\"}`, `{"a`, `{"a":`, `{"a":[`, `[1,2]`, `"`, `{"a":"\`, `{,}`, `{"a"}`, `{"a":}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := map[string]string{}
		count := 0
		err := members(raw, func(name, v []byte) {
			got[string(name)] = string(v)
			count++
		})
		var want map[string]json.RawMessage
		if json.Unmarshal(raw, &want) != nil || want == nil || bytes.ContainsRune(raw, '\\') || count != len(want) {
			return // Not an object, or with names that are escaped or there twice.
		}
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		for name, v := range want {
			if got[name] != string(v) {
				t.Errorf("%q has %q: %s, and not %s", raw, name, v, got[name])
			}
		}
	})
}

func TestButtonsAreFoundByTheirLabels(t *testing.T) {
	markup := []byte(`{"inline_keyboard":[[{"text":"Yes","callback_data":"t.o0"},{"callback_data":"t.o1","text":"Not now"}],` +
		`[{"text":"Delete \u0026 leave","callback_data":"t.x"}],[{"text":"Page","url":"https://example.test"}]]}`)
	for label, want := range map[string]string{
		"Yes": `"t.o0"`, "Not now": `"t.o1"`, "Delete & leave": `"t.x"`, "Page": "", "No": "",
	} {
		if got := string(button(markup, label)); got != want {
			t.Errorf("%q sends %s, want %s", label, got, want)
		}
	}
}

func TestAMultipartBodyIsReadAsTheSameParameters(t *testing.T) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, f := range [][2]string{
		{"chat_id", "42"}, {"text", "two\nlines, \"quoted\""}, {"reply_markup", `{"inline_keyboard":[]}`}, {"message_ids", "[1,2]"},
	} {
		if err := w.WriteField(f[0], f[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := request{kind: []byte(w.FormDataContentType()), body: body.Bytes()}
	var got []string
	if err := r.parameters(func(name, v []byte) { got = append(got, string(name)+"="+string(v)) }); err != nil {
		t.Fatal(err)
	}
	want := []string{"chat_id=42", `text="two\nlines, \"quoted\""`, `reply_markup={"inline_keyboard":[]}`, "message_ids=[1,2]"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

func TestABodyThatIsCutIsRefused(t *testing.T) {
	for _, r := range []request{
		{kind: []byte("application/json"), body: []byte(`{"chat_id":`)},
		{kind: []byte("multipart/form-data; boundary=b"), body: []byte("--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n42")},
		{kind: []byte("multipart/form-data"), body: []byte("x")},
		{kind: []byte("text/plain"), body: []byte("x")},
	} {
		if err := r.parameters(func(_, _ []byte) {}); err == nil {
			t.Errorf("%s: %s is taken", r.kind, strings.ReplaceAll(string(r.body), "\r\n", "|"))
		}
	}
}
