package seal

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"strings"
)

// WriteHTML writes the transcript as one page to print: no script, nothing that is
// loaded, text from outside made inert as by WriteText. What is proven stands first,
// then the entries, with each gap where it is. The page is not sealed: whoever has it
// reads the case.
func (t Transcript) WriteHTML(w io.Writer, witnessed string, fault error) error {
	var verdict bytes.Buffer
	t.writeVerdict(&verdict, witnessed, fault)
	p := page{
		Code: t.Case.Code(), Opened: t.Opened.Format(dateOnly),
		Whole:   len(t.Faults) == 0 && fault == nil,
		Verdict: verdict.String(),
	}
	for i, e := range t.Entries {
		line := pageEntry{
			Gap: t.gapBefore(i), Seq: e.Seq, At: e.At.UTC().Format("2006-01-02 15h"),
			From: inertLine(e.From), Kind: inertLine(e.Kind), Proven: e.Proven, Whole: e.Whole,
		}
		for text := range strings.SplitSeq(e.Text, "\n") {
			line.Text = append(line.Text, Inert(strings.TrimSuffix(text, "\r")))
		}
		p.Entries = append(p.Entries, line)
	}
	tmpl, err := template.New("transcript").Parse(pageText)
	if err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	var b bytes.Buffer
	if err := tmpl.Execute(&b, p); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

type page struct {
	Code, Opened, Verdict string
	Whole                 bool
	Entries               []pageEntry
}

type pageEntry struct {
	Gap           string
	Seq           uint64
	At            string
	From, Kind    string
	Text          []string
	Proven, Whole bool
}

// gapBefore says which records are missing before the ith entry, "" if none is.
func (t Transcript) gapBefore(i int) string {
	due := uint64(1)
	for _, e := range t.Entries[:i] {
		due = max(due, e.Seq+uint64(e.Parts))
	}
	switch seq := t.Entries[i].Seq; {
	case seq <= due:
		return ""
	case seq == due+1:
		return fmt.Sprintf("Record #%d cannot be read here: it is missing or damaged.", due)
	default:
		return fmt.Sprintf("Records #%d to #%d cannot be read here: they are missing or damaged.", due, seq-1)
	}
}

const pageText = `<!doctype html>
<html lang="id">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>Case {{.Code}}</title>
<style>
body { font: 11pt/1.4 serif; max-width: 18cm; margin: 1cm auto; color: #000; background: #fff }
pre { font: 9pt/1.4 monospace; white-space: pre-wrap; overflow-wrap: anywhere; border: 1pt solid #000; padding: 3mm }
.broken { border-width: 3pt }
article { border-top: 0.5pt solid #888; padding: 2mm 0; break-inside: avoid }
header { font-weight: bold }
p { margin: 0; overflow-wrap: anywhere }
.gap, .doubt { font-weight: bold; border: 2pt solid #000; padding: 1mm 2mm; margin: 1mm 0 }
</style>
</head>
<body>
<h1>Case {{.Code}}</h1>
<p>Opened {{.Opened}}. Times are hours, in UTC.</p>
<pre{{if not .Whole}} class="broken"{{end}}>{{.Verdict}}</pre>
{{range .Entries}}{{with .Gap}}<p class="gap">{{.}}</p>
{{end}}<article>
<header>#{{.Seq}} · {{.At}} · {{.From}}{{with .Kind}} ({{.}}){{end}}</header>
{{if not .Proven}}<p class="doubt">NOT PROVEN</p>
{{end}}{{if not .Whole}}<p class="doubt">A PART IS MISSING</p>
{{end}}{{range .Text}}<p>{{.}}</p>
{{end}}</article>
{{end}}</body>
</html>
`
