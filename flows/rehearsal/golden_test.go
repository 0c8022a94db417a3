package rehearsal_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"suar/flows"
	"suar/flows/rehearsal"
)

var update = flag.Bool("update", false, "write the golden conversations anew")

// TestConversations plays every conversation in testdata and compares what
// everybody saw.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parts := map[string]string{}
			for _, f := range archive.Files {
				parts[f.Name] = string(f.Data)
			}
			directory, err := flows.ParseDirectory(file, []byte(parts["directory.yaml"]))
			if parts["directory.yaml"] != "" && err != nil {
				t.Fatal(err)
			}
			book, err := flows.Load(flows.Shipped(), directory, strings.Fields(parts["languages"])...)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			r := rehearsal.New(book, &out, time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC))
			for line := range strings.Lines(parts["script"]) {
				line = strings.TrimSpace(line)
				if line == "" || strings.HasPrefix(line, "#") {
					continue
				}
				fmt.Fprintf(&out, "%s\n", line)
				if err := r.Do(line); err != nil {
					t.Fatalf("%s\n%s: %v", out.String(), line, err)
				}
			}
			fmt.Fprintf(&out, "in the end: %s\n", left(r.State()))
			if *update {
				for i, f := range archive.Files {
					if f.Name == "seen" {
						archive.Files[i].Data = out.Bytes()
					}
				}
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(parts["seen"], out.String()); diff != "" {
				t.Errorf("the conversation went differently (-want +got):\n%s", diff)
			}
		})
	}
}

// left says what is kept of a conversation.
func left(s flows.State) string {
	if s.Blank() {
		return "nothing is kept"
	}
	return fmt.Sprintf("%d messages to erase, %d replies, case %t, alarm %t", len(s.Messages), len(s.Replies), s.Case != nil, !s.Alarm().IsZero())
}
