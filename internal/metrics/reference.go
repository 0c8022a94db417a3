package metrics

import (
	"fmt"
	"strings"
)

// Reference is the table of all metrics, in Markdown.
func Reference() string {
	b := &strings.Builder{}
	b.WriteString("| metric | kind | labels | what it is |\n|---|---|---|---|\n")
	for _, m := range Catalogue() {
		var labels []string
		for _, l := range m.Labels {
			text := "`" + l.Name + "`"
			if len(l.Values) > 0 {
				text += ": " + strings.Join(l.Values, ", ")
			}
			labels = append(labels, text)
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", m.Name, m.Kind, strings.Join(labels, "; "), m.Help)
	}
	return b.String()
}
