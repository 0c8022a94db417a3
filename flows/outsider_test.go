package flows_test

import (
	"slices"
	"testing"

	"suar/flows"
)

// TestWhatArrivedStaysWhenItsAuthorIsGone: who is no officer any longer takes nothing away
// from the person by deleting a post, and nobody is said to have done it who has not.
func TestWhatArrivedStaysWhenItsAuthorIsGone(t *testing.T) {
	for name, outsider := range map[string]bool{"an officer's": false, "of who was one": true} {
		t.Run(name, func(t *testing.T) {
			l := inCase(t, "", testPhrase)
			l.happen(flows.Claimed{Officer: officer})
			l.happen(flows.Replied{Post: "answer", Officer: officer, Text: "The number is in your contract."})
			i := slices.IndexFunc(l.s.Replies, func(r flows.Reply) bool { return r.Post == "answer" })
			if i < 0 || l.s.Replies[i].Message == "" {
				t.Fatalf("the reply has not arrived: %+v", l.s.Replies)
			}
			message := l.s.Replies[i].Message
			l.caller, l.officers, l.records = nil, nil, nil
			l.happen(flows.Withdrawn{Post: "answer", Outsider: outsider})
			erased := slices.ContainsFunc(l.caller, func(e flows.Effect) bool {
				erase, is := e.(flows.Erase)
				return is && slices.Contains(erase.Messages, message)
			})
			told := slices.ContainsFunc(l.officers, func(e flows.Effect) bool {
				tell, is := e.(flows.Tell)
				return is && tell.Text == l.book.OfficerText("card.reply.kept")
			})
			if len(l.records) != 1 || l.records[0].From != "somebody" {
				t.Errorf("the transcript has %+v", l.records)
			}
			if erased == outsider || told != outsider {
				t.Errorf("erased: %v, told: %v", erased, told)
			}
		})
	}
}
