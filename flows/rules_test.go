package flows_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRulesHaveTests: each rule for the software that concerns the bot ("must" and
// "never") names the tests that hold it. A test that goes must be replaced here.
func TestRulesHaveTests(t *testing.T) {
	t.Parallel()
	rules := map[string]string{
		"must: privacy and deletion in every state":             "TestStepHoldsWhateverComes TestHumanInOneTap",
		"must: a human from every screen":                       "TestHumanInOneTap TestAHumanIsOneTapAway TestThreeTapsToDanger",
		"must: acknowledged before it is said that one knows":   "TestStepHoldsWhateverComes TestMattermostIsDownForAnHour",
		"must: alerts that nobody acknowledges are repeated":    "TestOneCallAfterALongSleep TestAlarmAfterRestart",
		"must: both sides' messages go before 48 h, and truth":  "TestEverythingEnds TestSweep TestSeizedPhone TestConversations",
		"must: encrypted at rest, no plaintext":                 "TestNothingReadableAtRest TestTheWordIsNowhere TestWrongWordsAreLimited TestWithheld",
		"must: all can be skipped, consent has a version":       "TestANewerNoticeIsAskedFor TestTheNoticeHasAVersion",
		"must: withdrawal is effective":                         "TestWithdrawalLeavesNothing TestWithdrawalErasesTheTranscript TestWithdrawalStopsWhatWaits",
		"must: under 18, danger, confined bring a human":        "TestDangerIsNeverBehindTheQuestion TestNothingClearsDanger TestHelpFromTheScreenBefore",
		"must: the family flow is one-way and uniform":          "TestNobodyCanAskWhetherSomeoneContactedUs TestAHostileMarkChangesNothingForThePerson",
		"must: stale numbers are not shown":                     "TestStaleEntries",
		"must: media are refused, never fetched by themselves":  "TestNothingIsFetchedThatWasNotAllowed TestFamiliesAreNotAskedForPhotos",
		"must: retention is tested, a deletion cascades":        "TestEverythingEnds TestWhatIsSealedIsErased TestWithdrawalErasesTheTranscript",
		"must: a neutral cover that is true":                    "TestCoverIsHonestAndBoring TestCoverHasNoTrace",
		"must: texts are plain, no trafficking vocabulary":      "TestNeverSaid TestShippedBook TestShortPacks",
		"must: fail safe when the officers are out of reach":    "TestMattermostIsDownForAnHour TestConversations",
		"must: limits never lock out an emergency press":        "TestDangerIsNeverBehindTheQuestion TestKeeperHoldsUpNobody TestHelpFromTheScreenBefore TestReturnFlood",
		"never: claim encryption end to end, anonymity, safety": "TestNeverSaid",
		"never: write first, or after a block or \"not now\"":   "TestWhoWritesFirstIsNeverWrittenTo TestNeverFirst TestNeverAfterABlock",
		"never: confirm or deny a person's contact":             "TestWrongDuressAndStrangerLookTheSame TestTheMaskIsAStrangersChat TestReturnLooksTheSame TestNobodyCanAskWhetherSomeoneContactedUs",
		"never: silently drop or pretend delivery":              "TestUnopenedAndDeletedIsTold TestUnheardWordsAreMarked TestWordsInOrder",
		"never: a telephone number in the code":                 "TestNoNumberIsShipped",
	}
	have := map[string]bool{}
	for _, pattern := range []string{"*_test.go", "rehearsal/*_test.go", "../internal/engine/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no tests at %s: %v", pattern, err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(raw)) {
				if name, ok := strings.CutPrefix(line, "func "); ok {
					name, _, _ = strings.Cut(name, "(")
					have[name] = true
				}
			}
		}
	}
	for rule, tests := range rules {
		for name := range strings.FieldsSeq(tests) {
			if !have[name] {
				t.Errorf("%s: there is no %s", rule, name)
			}
		}
	}
}

// TestNoNumberIsShipped: numbers and services come from the deployer's directory.
func TestNoNumberIsShipped(t *testing.T) {
	t.Parallel()
	number := regexp.MustCompile(`\+?[0-9](?:[ ()./-]?[0-9]){5,}`)
	for name, file := range shipped(t) {
		for line := range strings.Lines(string(file.Data)) {
			text, _, _ := strings.Cut(line, "#")
			if strings.HasPrefix(text, "notice:") {
				continue // It is a month.
			}
			if found := number.FindString(text); found != "" {
				t.Errorf("%s holds what looks like a telephone number: %q", name, found)
			}
		}
	}
}
