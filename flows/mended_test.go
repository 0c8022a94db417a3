package flows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"suar/flows"
)

// officer is who has the case of inCase.
var officer = flows.Officer{ID: "1", Name: "siti"}

// chooses has an officer choose an action of the menu by the beginning of its
// choice.
func (l *life) chooses(name flows.ActionName, choice string) {
	l.t.Helper()
	for _, a := range l.book.Card(l.s, l.now).Menu {
		if a.Name == name && strings.HasPrefix(a.Choice, choice) {
			l.happen(flows.Acted{Officer: officer, Action: name, Choice: a.Choice})
			return
		}
	}
	l.t.Fatalf("the menu has no %q %q", name, choice)
}

// withCode is inCase with a return code that was issued.
func withCode(t testing.TB, word, phrase string) *life {
	t.Helper()
	l := inCase(t, word, phrase)
	l.presses("More")
	l.presses("Number for another phone")
	l.presses("Six words")
	l.keep()
	if l.s.Lookup() == "" {
		t.Fatal("no code was issued")
	}
	return l
}

// TestWordsOfAWithdrawnCaseOpenNone: domain.md 7.4. Words that were at the keeper
// when the consent was withdrawn begin no case and are not passed on.
func TestWordsOfAWithdrawnCaseOpenNone(t *testing.T) {
	l := inCase(t, "", testPhrase)
	l.happen(flows.Said{Message: l.id(), Text: "one more thing"})
	l.happen(flows.Said{Message: l.id(), Text: testPhrase})
	for _, label := range []string{"More", "What we hold", "Withdraw my consent", "Yes, stop and delete"} {
		l.presses(label)
	}
	l.caller, l.officers = nil, nil
	l.keep()
	if l.s.Case != nil && !l.s.Case.Withdrawn || l.s.Screen != "" {
		t.Errorf("there is a case again, on screen %q", l.s.Screen)
	}
	if got := append(kinds(l.caller), kinds(l.officers)...); len(got) > 0 {
		t.Errorf("the words did %q", got)
	}
}

// TestWordsAtTheKeeperComeBeforeTheMove: a case does not move while words of the
// old chat are at the keeper, so that they come into its thread.
func TestWordsAtTheKeeperComeBeforeTheMove(t *testing.T) {
	l := withCode(t, "", testPhrase)
	l.happen(flows.Sought{From: "other", Sum: l.s.Lookup(), Text: "rendang"})
	l.keep()
	l.happen(flows.Said{Message: l.id(), Text: "one more thing"})
	l.chooses(flows.ActionReturn, "accept")
	if l.s.Case == nil {
		t.Fatal("the case moved before its words")
	}
	l.officers = nil
	l.keep()
	if !slices.ContainsFunc(l.officers, func(e flows.Effect) bool {
		r, ok := e.(flows.Relay)
		return ok && r.Text == "one more thing"
	}) {
		t.Error("the words are not in the thread")
	}
	l.chooses(flows.ActionReturn, "accept")
	if l.s.Case != nil {
		t.Error("the case does not move at all")
	}
}

// TestWithdrawalClearsNoDanger: domain.md 8. The officers are called when the
// consent is withdrawn while danger stands, and the last card says it.
func TestWithdrawalClearsNoDanger(t *testing.T) {
	l := newLife(t)
	l.happen(flows.Started{Message: l.id()})
	l.presses("English")
	l.presses("Contact the embassy")
	l.presses("Danger now")
	l.officers = nil
	l.s = at(l.s, "case.withdraw")
	l.happen(flows.Chose{Data: "AAAAAAAA.o0"})
	called := false
	for _, e := range l.officers {
		switch e := e.(type) {
		case flows.Page:
			called = true
		case flows.Update:
			if e.Last == nil || !strings.Contains(e.Last.Title, l.book.OfficerText("card.danger")) || strings.Contains(e.Last.Lines[0].Value, "mencari") {
				t.Errorf("the last card is %+v", e.Last)
			}
		}
	}
	if !called {
		t.Error("nobody is called")
	}
}

// TestTheLastCallIsWanted: the call of a withdrawal is made although nothing else
// that waits is, and no other call is.
func TestTheLastCallIsWanted(t *testing.T) {
	l := newLife(t)
	s := flows.State{Revoked: true, Case: &flows.Case{Phase: flows.Ended, Withdrawn: true}}
	if !l.book.Wanted(s, l.now, flows.Page{Text: l.book.OfficerText("card.withdrawn.page")}) {
		t.Error("the last call is not wanted")
	}
	if l.book.Wanted(s, l.now, flows.Page{Text: "another"}) {
		t.Error("a call from before is wanted")
	}
}

// TestWithdrawalAsksForTheWord: where there is a check word, whoever withdraws
// says it first.
func TestWithdrawalAsksForTheWord(t *testing.T) {
	withdraw := []string{"More", "What we hold", "Withdraw my consent", "Yes, stop and delete"}
	l := inCase(t, testWord, "")
	for _, label := range withdraw {
		l.presses(label)
	}
	if l.s.Before == "" || l.s.Case.Withdrawn {
		t.Fatal("the word was not asked for")
	}
	l.says("wrong")
	if l.s.Case.Withdrawn || l.s.Mask == nil {
		t.Fatal("a wrong word withdrew")
	}
	l = inCase(t, testWord, "")
	for _, label := range withdraw {
		l.presses(label)
	}
	l.says(testWord)
	l.presses("Yes, stop and delete")
	if l.s.Case != nil {
		t.Error("after the right word it is not withdrawn")
	}
}

// TestAcceptedHereAtRestIsTheCover: an officer's press changes nothing in a chat
// at rest.
func TestAcceptedHereAtRestIsTheCover(t *testing.T) {
	l := withCode(t, "", "")
	sum := l.s.Lookup()
	l.happen(flows.Asked{Message: l.id(), What: flows.AskDelete})
	l.happen(flows.Started{Message: l.id()})
	l.presses("English")
	l.presses("Contact the embassy")
	l.happen(flows.Sought{From: "here", Here: true, Sum: sum, Text: "rendang"})
	l.keep()
	l.passes(11 * time.Minute)
	before := seen(l.book.View(l.s, l.now))
	if l.s.Rest == nil {
		t.Fatal("the chat is not at rest")
	}
	l.chooses(flows.ActionReturn, "accept")
	if got := seen(l.book.View(l.s, l.now)); got != before {
		t.Errorf("the bubble became %q", got)
	}
	l.presses("Contact the embassy")
	if l.s.Screen != "case.talk" {
		t.Errorf("the person comes to %q", l.s.Screen)
	}
}

// TestNoReplyIsReadAtTheQuestion: a reply that is pressed open before the question
// is answered stays closed and is kept.
func TestNoReplyIsReadAtTheQuestion(t *testing.T) {
	l := inCase(t, testWord, "")
	l.happen(flows.Replied{Post: "r1", Officer: officer, Text: "we come at noon"})
	if len(l.s.Replies) != 1 || l.s.Replies[0].Message == "" {
		t.Fatal("the reply did not come")
	}
	news := l.s.Replies[0].Message
	l.happen(flows.Acted{Officer: officer, Action: flows.ActionAskWord})
	l.presses("More")
	l.passes(11 * time.Minute)
	if l.s.Before == "" || l.s.Rest == nil {
		t.Fatal("the question is not open at rest")
	}
	l.caller = nil
	l.happen(flows.Chose{Message: news, Data: "part.1"})
	if r := l.s.Replies[0]; r.Read || r.Part != 0 || slices.Contains(kinds(l.caller), "amend") {
		t.Errorf("the reply is %+v, and the chat got %q", r, kinds(l.caller))
	}
	if got := l.book.View(l.s, l.now).Text; got != "What is your favourite food?" {
		t.Errorf("the press led to %q", got)
	}
	l.says("wrong")
	if len(l.s.Replies) != 1 || !l.s.Replies[0].Held {
		t.Errorf("after a wrong answer the replies are %+v", l.s.Replies)
	}
}

// TestFastWordsAreHeard: however fast one person writes, all words are compared
// with the phrase and come to the officers; only new secrets are a few a minute.
func TestFastWordsAreHeard(t *testing.T) {
	l := inCase(t, testWord, testPhrase)
	l.passes(2 * time.Minute)
	l.officers = nil
	for range 30 {
		l.says("words")
	}
	relayed := 0
	for _, text := range l.words() {
		if text == "words" {
			relayed++
		}
	}
	if relayed != 30 {
		t.Errorf("%d of 30 messages came to the officers", relayed)
	}
	l.says(testPhrase)
	if l.s.Mask == nil || l.s.Case.Duress.IsZero() {
		t.Error("after 30 messages in a minute the phrase is not heard")
	}

	l = inCase(t, "", "")
	l.passes(2 * time.Minute)
	l.presses("More")
	l.presses("Check word")
	set := 0
	l.keep() // What the case brought along.
	for range 30 {
		l.presses("Set a check word")
		l.happen(flows.Said{Message: l.id(), Text: testWord})
		set += len(l.keeper)
		if l.keep(); l.book.View(l.s, l.now).Text == "" {
			t.Fatal("nothing is shown")
		}
		if len(l.s.Trail) > 0 || l.s.Screen == "case.word_set" {
			l.presses("Back")
		}
	}
	if set > 10 {
		t.Errorf("30 new words in a minute cost %d computations, want 10 at most", set)
	}
}

// TestUnheardWordsAreMarked: words that the keeper had no time for are passed on,
// and the officers see that they were compared with nothing. What may be the check
// word is never passed on so.
func TestUnheardWordsAreMarked(t *testing.T) {
	l := inCase(t, testWord, testPhrase)
	l.officers = nil
	l.happen(flows.Said{Message: l.id(), Text: "come soon"})
	check, ok := l.keeper[0].(flows.Check)
	if !ok || check.Within != 5*time.Second {
		t.Fatalf("the keeper has %#v, want words that wait for five seconds", l.keeper[0])
	}
	l.keeper = nil
	l.happen(flows.Checked{For: check.For, Note: check.Note, Text: check.Text, Match: -1, Skipped: true})
	want := flows.Relay{Label: "(tidak dibandingkan dengan kalimat bahaya: terlalu banyak yang menulis sekaligus)", Text: "come soon"}
	if !slices.Contains(l.officers, flows.Effect(want)) {
		t.Errorf("the officers have %v, want %v", l.officers, want)
	}
	for name, l := range map[string]*life{"at the question": asked(t, testWord, testPhrase), "behind the mask": asked(t, testWord, testPhrase)} {
		if name == "behind the mask" {
			l.says("wrong")
		}
		l.happen(flows.Said{Message: l.id(), Text: testWord})
		if check, ok := l.keeper[0].(flows.Check); !ok || check.Within != 0 || len(check.Sums) != 2 {
			t.Errorf("%s the keeper has %#v, want words that wait as long as it takes", name, l.keeper[0])
		}
	}
}

// TestUnopenedAndDeletedIsTold: an officer must not believe that words were read
// which were deleted unopened.
func TestUnopenedAndDeletedIsTold(t *testing.T) {
	for _, opened := range []bool{false, true} {
		l := inCase(t, "", "")
		l.happen(flows.Replied{Post: "r1", Officer: officer, Text: "we come at noon"})
		news := l.s.Replies[0].Message
		if opened {
			l.happen(flows.Chose{Message: news, Data: "part.1"})
		}
		l.officers = nil
		l.happen(flows.Chose{Message: news, Data: "erase"})
		failed := slices.Contains(l.officers, flows.Effect(flows.Mark{Post: "r1", Sign: flows.SignFailed}))
		told := slices.Contains(l.officers, flows.Effect(flows.Tell{Text: l.book.OfficerText("card.unopened")}))
		if failed == opened || told == opened || len(l.s.Replies) > 0 {
			t.Errorf("opened %v: marked as failed %v, told %v", opened, failed, told)
		}
	}
}

// TestTheRuleIsOfTheChat: after a return nothing is written to the new chat by a
// rule that was chosen for the old one.
func TestTheRuleIsOfTheChat(t *testing.T) {
	old := withCode(t, "", "")
	old.s.Answers = []flows.Answer{{Screen: "case.contact", Fact: "contact", Options: []string{"any"}}}
	c := *old.s.Case
	l := newLife(t)
	l.happen(flows.Started{Message: l.id()})
	l.presses("English")
	l.happen(flows.Joined{Hand: flows.Hand{Case: c, Facts: old.s.Facts}})
	l.passes(3 * time.Hour)
	l.caller = nil
	l.happen(flows.Replied{Post: "r9", Officer: officer, Text: "we come at noon"})
	if got := kinds(l.caller); slices.Contains(got, "say") {
		t.Errorf("three hours after the return came %q", got)
	}
}

// TestACodeIsDatedAndWearsOut: the officers are told when a code is made, read
// when it was where they decide, and are not called for one without end.
func TestACodeIsDatedAndWearsOut(t *testing.T) {
	l := withCode(t, "", "")
	if !slices.Contains(l.officers, flows.Effect(flows.Tell{Text: l.book.OfficerText("card.code.made")})) {
		t.Error("nobody is told of the code")
	}
	sum := l.s.Lookup()
	l.officers = nil
	for range 20 {
		l.happen(flows.Sought{From: "other", Sum: sum, Text: "rendang"})
		l.keep()
	}
	asks := 0
	for _, e := range l.officers {
		if tell, ok := e.(flows.Tell); ok && strings.Contains(tell.Text, "Kode itu dibuat 2026-03-02 10:00") {
			asks++
		}
	}
	if asks != 5 || l.s.Lookup() != "" {
		t.Errorf("%d asks are told with the code's age, want 5; the code is still of use: %v", asks, l.s.Lookup() != "")
	}
	l.chooses(flows.ActionReturn, "accept")
	if l.s.Case != nil {
		t.Error("the last ask cannot be accepted")
	}
}

// TestPrivacyAtTheQuestionIsAStrangers: nothing at the question says that
// something is kept here.
func TestPrivacyAtTheQuestionIsAStrangers(t *testing.T) {
	l := asked(t, testWord, "")
	l.happen(flows.Asked{Message: l.id(), What: flows.AskPrivacy})
	if got := seen(l.book.View(l.s, l.now)); strings.Contains(got, "[What we hold") {
		t.Errorf("the bubble is %q", got)
	}
}

// TestLostWordsDoNotStayBesideTheCover: the person's own messages go as the chat
// folds, also those that never arrived; that they did not is said on waking.
func TestLostWordsDoNotStayBesideTheCover(t *testing.T) {
	l := inCase(t, "", "")
	l.happen(flows.Said{Message: "own", Text: "please come"})
	l.s.Case.Lost = true
	l.passes(11 * time.Minute)
	if !slices.ContainsFunc(l.caller, func(e flows.Effect) bool {
		erase, ok := e.(flows.Erase)
		return ok && slices.Contains(erase.Messages, "own")
	}) {
		t.Error("the words stay in the chat at rest")
	}
	l.presses("Contact the embassy")
	if got := l.book.View(l.s, l.now).Text; !strings.Contains(got, l.book.Text("en", "ui.lost")) {
		t.Errorf("on waking the bubble says %q", got)
	}
}
