package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// A protection is one thing that keeps what is in the memory of the process from
// its disk and from other processes, as the system says it is now.
type protection struct {
	// What it is, as half a sentence that holds or not.
	What  string
	Holds bool
	// Todo is what somebody can do where it does not hold, a sentence.
	Todo string
}

// sayProtections says which protections hold, for whoever runs a check.
func sayProtections(list []protection, out, errOut io.Writer) {
	var holds []string
	for _, p := range list {
		if p.Holds {
			holds = append(holds, p.What)
			continue
		}
		fmt.Fprintf(errOut, "To look at: not so: %s. %s.\n", p.What, p.Todo)
	}
	if len(holds) > 0 {
		fmt.Fprintf(out, "This process: %s.\n", strings.Join(holds, "; "))
	}
}

// logProtections says the same in the log of a process that begins to serve.
func logProtections(ctx context.Context, list []protection, log *slog.Logger) {
	for _, p := range list {
		if p.Holds {
			log.InfoContext(ctx, "protected", "how", p.What)
			continue
		}
		log.WarnContext(ctx, "not protected", "how", p.What, "remedy", p.Todo)
	}
}
