package flows

// deskTexts are the texts that the officers' side asks the officers' catalogue for,
// outside of a case.
func deskTexts() []string {
	return []string{
		// What an officer asks the hotline for
		"desk.cmd.help", "desk.cmd.unknown", "desk.cmd.none", "desk.cmd.mine", "desk.cmd.offered",
		"desk.cmd.closed", "desk.cmd.find.how", "desk.cmd.find.none", "desk.cmd.handover.how", "desk.cmd.handover.nobody",
		"desk.cmd.handover.self", "desk.cmd.handover.done", "desk.cmd.accepted", "desk.cmd.declined", "desk.cmd.status.cases",
		"desk.cmd.status.hears", "desk.cmd.status.deaf", "desk.cmd.status.deliveries", "desk.cmd.status.roster", "desk.cmd.status.rosterless",
		// The board, and who is on duty
		"desk.board", "desk.board.at", "desk.board.waiting", "desk.board.open", "desk.board.more",
		"desk.board.waits", "desk.board.unanswered", "desk.board.since", "desk.flag.duress", "desk.flag.danger",
		"desk.flag.minor", "desk.flag.pressing", "desk.age.minutes", "desk.age.hours", "desk.age.days",
		"desk.duty.now", "desk.duty.until", "desk.duty.behind", "desk.duty.next", "desk.duty.next.nobody",
		"desk.duty.nobody", "desk.duty.leads", "desk.duty.always",
	}
}
