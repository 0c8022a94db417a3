package flows

// deskTexts are the texts that the officers' side asks the officers' catalogue for,
// outside of a case.
func deskTexts() []string {
	return []string{
		// What a lead changes of the duty
		"desk.duty.leads_only", "desk.duty.how", "desk.duty.dialog", "desk.duty.changed",
		"desk.duty.removed", "desk.duty.changes", "desk.duty.line.override", "desk.duty.line.first",
		"desk.duty.line.swap", "desk.duty.fault.words", "desk.duty.fault.who", "desk.duty.fault.same",
		"desk.duty.fault.order", "desk.duty.fault.past", "desk.duty.fault.long", "desk.duty.fault.many",
		"desk.duty.fault.none", "desk.duty.override", "desk.duty.override.intro", "desk.duty.swap",
		"desk.duty.swap.intro", "desk.duty.submit", "desk.duty.field.who", "desk.duty.field.instead",
		"desk.duty.field.from", "desk.duty.field.to", "desk.duty.field.back.from", "desk.duty.field.back.to",
		"desk.duty.field.time",
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
