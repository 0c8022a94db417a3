package flows

// deskTexts are the texts that the officers' side asks the officers' catalogue for,
// outside of a case.
func deskTexts() []string {
	return []string{
		// The board, and who is on duty
		"desk.board", "desk.board.at", "desk.board.waiting", "desk.board.open", "desk.board.more",
		"desk.board.waits", "desk.board.unanswered", "desk.board.since", "desk.flag.duress", "desk.flag.danger",
		"desk.flag.minor", "desk.flag.pressing", "desk.age.minutes", "desk.age.hours", "desk.age.days",
		"desk.duty.now", "desk.duty.until", "desk.duty.behind", "desk.duty.next", "desk.duty.next.nobody",
		"desk.duty.nobody", "desk.duty.leads", "desk.duty.always",
	}
}
