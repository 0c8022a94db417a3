package bot

import (
	"encoding/json"
	"strings"
	"testing"

	telegram "github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
	"github.com/google/go-cmp/cmp"

	"suar/flows"
)

// What is written by hand is what the library's types make of the same.
func TestMessageIsWhatTheLibrarySends(t *testing.T) {
	const words = "Apakah Anda \"aman\"?\n\\ \u2028 é 👩🏽‍🚒 <b>\t\x01"
	no := &models.LinkPreviewOptions{IsDisabled: telegram.True()}
	keys := [][]flows.Button{{{Label: "Ya \"1\"", Data: "t.o1"}, {Label: "Bahaya", Data: "t.x", Danger: true}}, {}, {{Label: "no data"}}}
	markup := &models.InlineKeyboardMarkup{InlineKeyboard: [][]models.InlineKeyboardButton{
		{{Text: "Ya \"1\"", CallbackData: "t.o1"}, {Text: "Bahaya", CallbackData: "t.x", Style: "danger"}},
		{{Text: "no data"}},
	}}
	for name, tt := range map[string]struct {
		got  []byte
		want any
	}{
		"a new message": {
			message{chat: 7340215986, text: words}.params(nil),
			telegram.SendMessageParams{ChatID: 7340215986, Text: words, LinkPreviewOptions: no, DisableNotification: true},
		},
		"one with buttons": {
			message{chat: 7, text: words, keys: keys, protect: true}.params(nil),
			telegram.SendMessageParams{
				ChatID: 7, Text: words, LinkPreviewOptions: no, DisableNotification: true, ProtectContent: true, ReplyMarkup: markup,
			},
		},
		"an edit": {
			message{chat: 7, id: 5, text: "a", keys: keys, protect: true}.params([]byte{}),
			telegram.EditMessageTextParams{ChatID: 7, MessageID: 5, Text: "a", LinkPreviewOptions: no, ReplyMarkup: markup},
		},
		"an edit without a button": {
			message{chat: 7, id: 5, text: "a", keys: [][]flows.Button{{}, nil}}.params(nil),
			telegram.EditMessageTextParams{ChatID: 7, MessageID: 5, Text: "a", LinkPreviewOptions: no},
		},
		"a deletion": {deletion(nil, 7, []int{5, 6}), telegram.DeleteMessagesParams{ChatID: 7, MessageIDs: []int{5, 6}}},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := json.Marshal(tt.want)
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			if err := json.Unmarshal(tt.got, &got); err != nil {
				t.Fatalf("%s: %v", tt.got, err)
			}
			if err := json.Unmarshal(raw, &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a", `"\`, "\x00\x1f\n\x7f", "é\u2028", "\xff\xc0a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		if err := json.Unmarshal(appendText(nil, s), &back); err != nil {
			t.Fatal(err)
		}
		if want := strings.ToValidUTF8(s, "\ufffd"); back != want {
			t.Errorf("%q came back as %q", want, back)
		}
		if read, ok := text(appendText(nil, s)); !ok || read != back {
			t.Errorf("%q is read as %q", back, read)
		}
	})
}
