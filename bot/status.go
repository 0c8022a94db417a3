package bot

import (
	"sync/atomic"
)

// A Status is how receiving goes. It holds numbers only.
type Status struct {
	// Receiving says that Telegram answered when it was last asked for updates, or
	// to send them; with a webhook that somebody else sets it says that Run runs.
	Receiving bool
	// Conflicts counts since New how often another program was found to receive this
	// bot's updates, or to have changed its webhook: whoever it is has the token.
	Conflicts int64
	// Refused counts the requests to the webhook that were none of Telegram's or came
	// to nothing.
	Refused int64
}

// Status returns how receiving goes.
func (b *Bot) Status() Status {
	return Status{
		Receiving: b.health.receiving.Load(),
		Conflicts: b.health.conflicts.Load(),
		Refused:   b.health.refused.Load(),
	}
}

// health is what Status tells.
type health struct {
	receiving          atomic.Bool
	conflicts, refused atomic.Int64
}

// asked notes what came of asking Telegram.
func (h *health) asked(err error) {
	h.receiving.Store(err == nil)
	if err != nil && refuse(err).kind == taken {
		h.conflicts.Add(1)
	}
}
