package e2e

import (
	"net/http"
	"testing"

	"suar/internal/mattermosttest"
)

// confirm presses what asks before it acts, and says yes. A Mattermost that is
// busy takes seconds from the press to the question, and then shows none; the bot
// says so to the officer alone, who presses again.
func confirm(t *testing.T, w *mattermosttest.World, client *mattermosttest.Screen, as mattermosttest.Account, press func() int) {
	t.Helper()
	again := officersWord(t, "desk.again")
	for {
		if status := press(); status != http.StatusOK {
			t.Fatalf("the press answers %d", status)
		}
		dialog := client.DialogUnless(again)
		if dialog == nil {
			continue
		}
		answer, status := w.SubmitDialog(as, dialog, nil)
		if status != http.StatusOK {
			t.Fatalf("the dialog answers %d %+v", status, answer)
		}
		if answer == nil || answer.Error == "" {
			return
		}
		if answer.Error != again {
			t.Fatalf("the dialog answers %q", answer.Error)
		}
	}
}
