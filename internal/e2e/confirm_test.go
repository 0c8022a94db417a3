package e2e

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"

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
		dialog := question(t, client, again)
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

// question waits for what opens after a press: a dialog, or the words that the
// press could not be taken, for which it returns nil.
func question(t *testing.T, client *mattermosttest.Screen, again string) *model.OpenDialogRequest {
	t.Helper()
	for {
		event := client.Next(model.WebsocketEventOpenDialog, model.WebsocketEventEphemeralMessage)
		if event.EventType() == model.WebsocketEventOpenDialog {
			dialog := &model.OpenDialogRequest{}
			carried(t, event, "dialog", dialog)
			return dialog
		}
		var told model.Post
		if carried(t, event, "post", &told); told.Message == again {
			return nil
		}
	}
}

// carried decodes what an event carries as JSON in a text.
func carried(t *testing.T, event *model.WebSocketEvent, field string, into any) {
	t.Helper()
	text, _ := event.GetData()[field].(string)
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}
