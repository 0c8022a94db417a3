package handoff

import "strings"

// A verb is what an officer asks the hotline for.
type verb string

// The verbs.
const (
	verbHelp     verb = "help"
	verbMine     verb = "mine"
	verbWaiting  verb = "waiting"
	verbDuty     verb = "duty"
	verbFind     verb = "find"
	verbStatus   verb = "status"
	verbHandover verb = "handover"
	verbAccept   verb = "accept"
	verbDecline  verb = "decline"
	// Those about the duty.
	verbSwap     verb = "swap"
	verbOverride verb = "override"
	verbRemove   verb = "remove"
)

// verbOf returns the verb of a word in English or Indonesian, whatever language the
// officers' texts are in, "" for another word.
func verbOf(word string) verb {
	switch strings.Trim(strings.ToLower(word), "`*_.,:;!?/") {
	case "", "help", "bantuan", "bantu", "tolong":
		return verbHelp
	case "mine", "my", "saya", "milikku", "kasusku", "punyaku":
		return verbMine
	case "waiting", "queue", "board", "menunggu", "tunggu", "antrean", "antrian", "papan":
		return verbWaiting
	case "duty", "piket", "jaga", "bertugas", "jadwal":
		return verbDuty
	case "find", "cari", "temukan":
		return verbFind
	case "status", "keadaan":
		return verbStatus
	case "handover", "hand-over", "serahkan", "alihkan", "oper":
		return verbHandover
	case "accept", "terima":
		return verbAccept
	case "decline", "tolak":
		return verbDecline
	case "swap", "tukar":
		return verbSwap
	case "override", "ganti", "gantikan":
		return verbOverride
	case "remove", "delete", "hapus", "cabut":
		return verbRemove
	}
	return ""
}
