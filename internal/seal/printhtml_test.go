package seal

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func html(t *testing.T, tr Transcript, witness string) string {
	t.Helper()
	var fault error
	if witness != "" {
		fault = tr.Check(witness)
	}
	var b bytes.Buffer
	if err := tr.WriteHTML(&b, witness, fault); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A page shows what is proven before what was said, and nothing that was said can
// act on the reader's machine or pass for something else.
func TestWriteHTML(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients,
		Entry{atNoon, "person", "said", "<script>alert(1)</script>\n</pre><img src=https://example.org/x>\u202eterbalik\x1b[31m"},
		Entry{atNoon, "officer:Siti", "replied", "kami \"datang\""})
	page := html(t, read(t, c, d.officer), c.tape.Witness())
	for _, want := range []string{
		"Case " + caseA.Code(), "all 2 records are unchanged", "The witness " + c.tape.Witness() + " fits", "default-src 'none'",
		"&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;/pre&gt;&lt;img", "&lt;U&#43;202E&gt;terbalik&lt;U&#43;001B&gt;[31m", "kami &#34;datang&#34;",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
	for _, never := range []string{"<script", "<img", "\u202e", "\x1b", `class="broken"`, `class="gap"`} {
		if strings.Contains(page, never) {
			t.Errorf("%q is in\n%s", never, page)
		}
	}
	if strings.Index(page, "Verified") > strings.Index(page, "kami") {
		t.Error("what is proven comes after what was said")
	}
}

// A gap stands where it is, in every form, and the head that does not fit the one
// in the thread is said in plain words.
func TestGapsAreShown(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, lines(6)...)
	kept := [][]byte{c.records[0], c.records[3], c.records[5]}
	tr, err := ReadTranscript(caseA, c.header, kept, d.officer)
	if err != nil {
		t.Fatal(err)
	}
	witness := c.tape.Witness()
	var text bytes.Buffer
	if err := tr.WriteText(&text, witness, tr.Check(witness)); err != nil {
		t.Fatal(err)
	}
	page := html(t, tr, witness)
	for name, got := range map[string]string{"text": text.String(), "page": page} {
		for _, want := range []string{
			"Records #2 to #3 cannot be read here", "Record #5 cannot be read here", "NOT PROVEN", "NOT VERIFIED: of 3 records the first 1 are proven",
			"The witness " + witness + " does NOT fit",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is missing in\n%s", name, want, got)
			}
		}
		if i, j := strings.Index(got, "#2 to #3"), strings.Index(got, "Record #5"); i > j {
			t.Errorf("%s: the gaps are in another order", name)
		}
	}
	if !strings.Contains(page, `class="broken"`) {
		t.Error("the page does not show that the case is not whole")
	}
	var fault *Fault
	if err := tr.Check(witness); !errors.As(err, &fault) {
		t.Errorf("%T", err)
	}
}
