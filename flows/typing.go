package flows

import "time"

// Types reports whether the person may see, at an instant, that an officer is writing
// to them. It is a sign from us like a message, only that it leaves nothing: so it is
// for the officer who has the case, and for a person whose rule lets a message out
// now, who is there, and who gave a sign a short time ago. In doubt it is false.
//
// That the person writes nobody can see: Telegram does not tell a bot.
func (b *Book) Types(s State, at time.Time, o Officer) bool {
	c := s.Case
	return c != nil && c.Phase == Owned && c.Officer.is(o) && !c.Withdrawn && c.Guarded == "" &&
		s.Rest == nil && s.Screen != "" && b.letOut(s, at) && b.lately(s, at)
}
