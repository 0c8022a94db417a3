package bot

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"suar/flows"
	"suar/internal/engine"
)

// A kind is what a refusal of Telegram's means to us.
type kind string

const (
	same      kind = "not modified" // the message is already so
	missing   kind = "missing"      // the message is not there
	fixed     kind = "fixed"        // the message cannot be edited
	lasting   kind = "lasting"      // the message cannot be deleted
	stale     kind = "stale"        // the press is too old to be answered
	closed    kind = "closed"       // the person closed the chat, or is gone
	malformed kind = "malformed"    // Telegram does not take the content
	large     kind = "large"        // the file is larger than a bot may read
	flood     kind = "flood"        // too many requests
	unknown   kind = "token"        // Telegram does not know the token
	taken     kind = "taken"        // another program receives for the bot
	down      kind = "down"         // no answer, or none of the Bot API
)

// refusals says what Telegram's errors mean: by status, then by the first part
// of the description that fits, in lower case.
var refusals = [...]struct { //nolint:gochecknoglobals // A table that nothing changes.
	status int
	part   string
	kind   kind
}{
	{400, "message is not modified", same},
	{400, "message to edit not found", missing},
	{400, "message to delete not found", missing},
	{400, "message_id_invalid", missing},
	{400, "message identifier is not specified", missing},
	{400, "message can't be edited", fixed},
	{400, "message can't be deleted", lasting},
	{400, "query is too old", stale},
	{400, "chat not found", closed},
	{400, "user not found", closed},
	{400, "peer_id_invalid", closed},
	{400, "input_user_deactivated", closed},
	{400, "have no rights to send", closed},
	{400, "file is too big", large},
	{400, "", malformed},
	{401, "", unknown},
	{403, "", closed},
	{404, "", unknown},
	{409, "", taken},
	{413, "", malformed},
	{429, "", flood},
}

// A refusal is what became of a call that did not succeed.
type refusal struct {
	status  int
	kind    kind
	after   time.Duration
	perhaps bool
	cause   error // context.Canceled, context.DeadlineExceeded or nil
}

func (r *refusal) Error() string { return "bot: telegram: " + string(r.kind) }

func (r *refusal) Unwrap() error { return r.cause }

// refusalOf reads an answer with "ok": false.
func refusalOf(status int, description string, after time.Duration) *refusal {
	description = strings.ToLower(description)
	for _, known := range refusals {
		if known.status == status && strings.Contains(description, known.part) {
			return &refusal{status: status, kind: known.kind, after: after}
		}
	}
	return &refusal{status: status, kind: down, after: after, perhaps: status >= 500}
}

// refuse says what became of a call that returned the error.
func refuse(err error) *refusal {
	var r *refusal
	var l *lost
	switch {
	case errors.As(err, &r):
		return r
	case errors.As(err, &l):
		if l.status == 429 {
			return &refusal{status: 429, kind: flood, after: l.after}
		}
		return &refusal{status: l.status, kind: down, after: l.after, perhaps: l.sent, cause: l.cause}
	case errors.Is(err, context.Canceled):
		return &refusal{kind: down, perhaps: true, cause: context.Canceled}
	case errors.Is(err, context.DeadlineExceeded):
		return &refusal{kind: down, perhaps: true, cause: context.DeadlineExceeded}
	}
	// An answer that the library could not read, or a status it does not know.
	return &refusal{kind: down, perhaps: true}
}

// failure says to the engine what to do next.
func (b *Bot) failure(chat int64, r *refusal) *engine.Failure {
	f := &engine.Failure{Status: r.status, After: r.after, Perhaps: r.perhaps, Err: r}
	switch r.kind {
	case closed:
		f.Reason, f.Final = flows.ReasonBlocked, true
	case missing, fixed:
		f.Reason, f.Final = flows.ReasonGone, true
	case malformed, lasting, stale, same, large:
		f.Reason, f.Final = flows.ReasonRejected, true
	case flood:
		f.After = max(r.after, time.Second)
		f.All = b.floods.note(chat, b.cfg.Now(), f.After)
	case unknown:
		// The token was changed or revoked. A new one may come with the next
		// start, so nothing is given up.
		f.After, f.All = max(r.after, time.Minute), true
	case taken, down:
	}
	return f
}

// floods tells a chat that gets too much from a bot that sends too much:
// Telegram answers both with the same 429. When a second chat is refused while
// a first one still has to wait, it is the bot.
type floods struct {
	mu    sync.Mutex
	chat  int64
	until time.Time
}

func (f *floods) note(chat int64, now time.Time, after time.Duration) (all bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all = f.chat != chat && now.Before(f.until)
	f.chat, f.until = chat, now.Add(after)
	return all
}
