package flows

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// uiTexts are the texts that the program itself asks a catalogue for.
func uiTexts() []string {
	return append(deskTexts(), []string{
		"profile.name", "profile.description", "profile.short", "profile.commands.start",
		"profile.commands.privacy", "profile.commands.delete", "profile.commands.language",
		"ui.again", "ui.talk_closed", "ui.back", "ui.check", "ui.close", "ui.news", "ui.next", "ui.open", "ui.done", "ui.erase", "ui.garbled", "ui.leave",
		"ui.lost", "ui.media", "ui.no_numbers", "ui.no_pages", "ui.no_reply", "ui.notice_short",
		"ui.person", "ui.privacy", "ui.rule_hours", "ui.rule_silent", "ui.skip", "ui.status.alerting",
		"ui.status.claimed", "ui.status.has", "ui.status.read", "ui.status.closed", "ui.status.late",
		"ui.status.opening", "ui.status.sending", "ui.status.stuck",
		"ui.status.unattended", "ui.status.unattended_until", "desk.called",
		"card.again", "card.attached", "card.back", "card.blocked", "card.claim", "card.close",
		"card.close.confirm", "card.contact", "card.more",
		"card.hostile", "card.hostile.mark", "card.hostile.confirm", "card.hostile.since", "card.hostile.undo",
		"card.contact.left", "card.contact.none", "card.contact.shut",
		"card.contact.waiting", "card.held", "card.close.waiting", "card.danger", "card.earlier", "card.edit_late",
		"card.edited", "card.files", "card.mention", "card.missed", "card.mention.edit", "card.in_thread", "card.kind.message", "card.language", "card.left",
		"card.minor", "card.not_asked", "card.notice",
		"card.notice.not", "card.notice.yes", "card.page", "card.reply_blocked",
		"card.replaced", "card.reply_closed", "card.skipped", "card.status", "card.status.claimed",
		"card.status.closed", "card.status.waiting", "card.too_many", "card.undelivered.blocked",
		"card.undelivered.given_up", "card.undelivered.gone",
		"card.dormant", "card.dormant_closed",
		"card.unanswered", "card.undelivered.rejected", "card.unknown",
		// Receipt codes and returns
		"ui.code_wait", "ui.held.code", "card.code", "card.code.set", "card.moved", "card.return",
		"card.return.line", "card.return.none", "card.return.right", "card.return.wrong",
		"card.return.duress", "card.return.asks", "card.return.page", "card.return.accept",
		"card.return.accept.confirm", "card.return.refuse", "card.return.refuse.confirm", "card.word.ask.told", "card.return.accepted",
		"card.return.refused", "card.return.here", "card.return.moved", "card.return.ceded",
		noteAstray, "card.code.astray", "card.code.withheld",
		"card.return.media", "card.return.waits", "card.return.dropped", "card.code.made", "card.unopened",
		"desk.again", "desk.refused", "desk.unknown", "desk.slow", "desk.witness", "desk.outsider",
		"card.form.changed", "card.form.date", "card.form.long", "card.form.missing", "card.form.option",
		"card.form.officer", "card.form.send", "card.form.submit",
		"card.work", "card.work.by", "card.work.day", "card.work.day.help", "card.work.note", "card.work.note.help", "card.work.unset",
		"work.consent", "work.consent.intro", "card.consent.by.call", "card.consent.by.chat", "card.consent.by.meeting", "card.consent.by.writing",
		"card.consent.day", "card.consent.given", "card.consent.how", "card.consent.nothing", "card.consent.partner", "card.consent.refused",
		"card.consent.state", "card.consent.withdrawn",
		"work.referral", "work.referral.intro", "card.referral.accepted", "card.referral.days", "card.referral.days.help", "card.referral.declined",
		"card.referral.done", "card.referral.expired", "card.referral.failed", "card.referral.left_out", "card.referral.mark", "card.referral.new",
		"card.referral.packet", "card.referral.preview", "card.referral.revoked", "card.referral.sent", "card.referral.text", "card.referral.text.help",
		"card.referral.unconsented", "card.referral.until", "card.referral.was_expired", "card.referral.was_failed", "card.referral.was_marked",
		"card.referral.was_revoked", "card.referral.what",
		"work.link", "work.link.intro", "card.link.what", "card.link.add", "card.link.confirm", "card.link.off", "card.link.code", "card.link.code.help",
		"card.link.not", "card.link.same", "card.link.was_set", "card.link.was_confirmed", "card.link.was_off", "card.link.both", "card.link.waits",
		"work.tag", "work.tag.intro", "card.tag.kind", "card.tag.not", "card.tag.off", "card.tag.text", "card.tag.text.help",
		"work.flag", "work.flag.intro", "card.flag", "card.flag.do", "card.flag.kind", "card.flag.lapsed", "card.flag.line",
		"card.flag.past", "card.flag.set", "card.flag.take", "card.flag.until", "card.flag.until.help", "card.flag.was_set", "card.flag.was_taken",
		"card.canned.field", "card.canned.intro", "card.canned.line", "card.canned.lost", "card.canned.menu", "card.canned.only",
		"card.canned.other", "card.canned.ours", "card.canned.preview", "card.canned.send", "card.canned.title",
		"card.never", "card.never.only", "card.never.over", "card.never.rule", "card.never.sent", "card.never.sure",
		"card.never.unsaid", "card.never.unsay",
		"card.media", "card.media.allow", "card.media.allowed", "card.media.confirm", "card.media.failed",
		"card.media.gone", "card.media.large", "card.media.not_shown", "card.media.offer", "card.media.photo",
		"card.media.refuse", "card.media.show", "card.media.shown", "card.media.unseen",
		"card.media.unsuited", "card.media.voice", "ui.media_failed", "ui.media_large", "ui.media_many",
		"ui.media_unsuited", "ui.talk_media",
		"ui.found", "ui.question", "ui.release.alive", "ui.release.call", "ui.release.message",
		"card.found", "card.found.answered", "card.found.ask", "card.found.confirm", "card.found.open", "card.found.undo",
		"card.own.failed", "card.own.held", "card.own.sent",
		"card.release", "card.release.confirm", "card.release.done", "card.release.first", "card.release.open",
		"card.release.propose.alive", "card.release.propose.call", "card.release.propose.message",
		"card.release.proposed", "card.release.same", "card.release.second", "card.release.undo", "card.release.undone",
		"ui.held", "ui.held.agreed", "ui.held.agreed_not", "ui.held.case", "ui.held.correct", "ui.held.danger",
		"ui.held.media", "ui.held.secrets", "ui.held.word", "ui.held.phrase", "ui.held.no_phrase",
		"ui.held.language", "ui.held.kind", "ui.held.minor", "ui.held.typed",
		"card.corrected", "card.withdrawn", pageStood, "card.status.withdrawn", "card.status.withdrawn.danger", "card.notice.renew",
		"card.contact.unsure", "card.duress", "card.guard", "card.guard.asked", "card.guard.asks",
		"card.guard.danger", "card.guard.duress", "card.guard.end", "card.guard.end.confirm",
		"card.guard.ended", "card.guard.label", "card.guard.minor", "card.guard.page", "card.guard.skipped",
		"card.guard.told_duress", "card.guard.told_skipped", "card.guard.told_wrong", "card.guard.wrong",
		"card.phrase", "card.phrase.changed", "card.phrase.removed", "card.phrase.said", "card.phrase.told",
		"card.word", "card.word.ask", "card.word.changed", "card.word.gone", "card.word.removed",
		"card.word.right", "card.word.set", "card.word.told", "card.word.told_right", "card.word.late", "card.unheard", "card.word.withheld", "card.word.wrong",
		"ui.secret_kept", "ui.secret_long", "ui.secret_removed", "ui.secret_same", "ui.secret_saving",
		"ui.secret_short", "ui.secret_wait",
		// Who owns a case, what takes two officers, the order of the queue
		"card.owner.only", "card.seen", "card.seen.line", "card.seen.lacks", "card.seen.told", "card.page.second",
		"card.queue", "card.queue.confirm", "card.queue.told", "card.queue.page", "card.departed", "card.take",
		"card.take.confirm", "card.take.told", "card.look", "card.look.told", "card.look.only", "card.transfer.line",
		"card.transfer.open", "card.transfer.accept", "card.transfer.decline", "card.transfer.retract",
		"card.transfer.offered", "card.transfer.same", "card.transfer.only", "card.transfer.accepted",
		"card.transfer.declined", "card.transfer.retracted", "card.transfer.lapsed", "card.transfer.departed",
		"card.stray", "card.stray.send", "card.stray.only", "card.stray.sent", "card.stray.over", "card.stray.done",
		"card.stray.edit", "card.reply.kept", "card.approve.authorities", "card.approve.transcript", "card.approve.delete",
		"card.approve.propose.authorities", "card.approve.propose.transcript", "card.approve.propose.delete",
		"card.approve.second", "card.approve.confirm.authorities", "card.approve.confirm.transcript",
		"card.approve.confirm.delete", "card.approve.undo", "card.approve.open", "card.approve.both",
		"card.approve.proposed", "card.approve.undone", "card.approve.same", "card.approve.done",
		"card.approve.done.authorities", "card.approve.done.transcript", "card.approve.done.delete", "card.approve.lapsed",
		"card.release.lapsed", "card.rank", "card.rank.none", "card.rank.danger", "card.rank.minor", "card.rank.duress",
		"card.rank.moved", "card.rank.pressing", "card.rank.waiting", "card.rank.waiting.most",
		"card.transfer.menu", "card.transfer.title", "card.transfer.intro", "card.transfer.to", "card.transfer.note",
		"card.transfer.note.help", "card.approve.title", "card.approve.intro", "card.approve.reason", "card.approve.reason.help",
		"media.contact", "media.file", "media.location", "media.other",
		"media.photo", "media.sticker", "media.video", "media.voice",
	}...)
}

// The longest a label and a text may be: a telephone's button, and what leaves
// room for a status line and a note within Telegram's 4,096.
const (
	longestLabel = 30
	longestText  = 1800
)

// check reports everything in which the book does not fit together.
func (b *Book) check(faults *faults) {
	b.checkPolicy(faults)
	b.checkScreens(faults)
	b.checkReach(faults)
	b.checkShort(faults)
	b.checkTexts(faults)
	b.checkNever(faults)
	b.checkCanned(faults)
	for _, language := range slices.Sorted(maps.Keys(b.catalogues)) {
		b.catalogues[language].checkReading(faults)
	}
}

func (b *Book) checkPolicy(faults *faults) {
	p, at := b.policy, place{file: "policy.yaml"}
	for key, name := range map[string]string{"first": p.First, "talk": p.Talk, "gone": p.Gone, "ask": p.Ask, "gate": p.Gate, "language": p.Language, "held": p.Held, "renew": p.Renew, "found": p.Found} {
		if b.screens[name] == nil {
			faults.add(at, "%s: there is no screen %q", key, name)
		}
	}
	if p.Notice == "" {
		faults.add(at, "notice: the notice needs a version, so that it is known what a person agreed to")
	}
	for i, l := range b.languages {
		if _, ok := b.catalogues[l]; !ok {
			faults.add(at, "languages: there is no catalogue for the language %q; there are %s", l, strings.Join(slices.Sorted(maps.Keys(b.catalogues)), ", "))
		} else if slices.Contains(b.languages[:i], l) {
			faults.add(at, "languages: %q is listed twice", l)
		}
	}
	if len(b.catalogues) == 0 {
		faults.add(place{file: "text"}, "the book has no catalogue; add one file for each language")
	} else if len(b.languages) == 0 {
		faults.add(at, "languages: list the languages that are on, in the order in which they are offered")
	} else if !slices.Contains(b.languages, p.Officers) {
		faults.add(at, "officers: the language %q is not among those that are on", p.Officers)
	}
	for key, list := range map[string][]Duration{"urgent": p.Urgent, "ordinary": p.Ordinary} {
		if len(list) == 0 || slices.Min(list) < Duration(time.Second) {
			faults.add(at, "%s: give at least one interval of a second or more, or nobody is called again", key)
		}
	}
	for key, list := range map[string][]Duration{"danger": p.Danger, "minor": p.Minor} {
		if len(list) > 0 && slices.Min(list) < Duration(time.Second) {
			faults.add(at, "%s: give intervals of a second or more, or leave it out: then urgent counts", key)
		}
	}
	for key, d := range map[string]Duration{"unanswered": p.Unanswered, "live": p.Live, "stuck": p.Stuck, "idle": p.Idle, "sweep": p.Sweep, "keep": p.Keep, "dormant": p.Dormant, "media": p.Media, "resume": p.Resume, "transfer": p.Transfer, "approval": p.Approval} {
		if d < Duration(time.Second) {
			faults.add(at, "%s: must be a second or more", key)
		}
	}
	for key, n := range map[string]int{"danger": p.Acknowledge.Danger, "minor": p.Acknowledge.Minor} {
		if n < 0 || n > mostAcks {
			faults.add(at, "acknowledge: %s: must be between 1 and %d officers", key, mostAcks)
		}
	}
	if p.Approval > Duration(7*24*time.Hour) {
		faults.add(at, "approval: must be 168h at most, or a proposal outlives its reason")
	}
	b.checkRank(faults)
	if p.Summon < 0 {
		faults.add(at, "summon: must be 0 or more calls")
	}
	if p.Sweep > Duration(47*time.Hour) {
		faults.add(at, "sweep: must be 47h at most, because Telegram keeps what is 48 h old")
	}
	if p.Media > Duration(7*24*time.Hour) {
		faults.add(at, "media: must be 168h at most")
	}
	if p.Idle > Duration(72*time.Hour) {
		faults.add(at, "idle: must be 72h at most")
	}
	if p.Day.From >= p.Day.To || p.Day.To > Duration(24*time.Hour) {
		faults.add(at, "day: must begin before it ends, within 24h")
	}
}

func (b *Book) checkScreens(faults *faults) {
	facts := map[string]*screen{}
	for _, name := range b.order {
		s := b.screens[name]
		end := name == b.policy.Talk || name == b.policy.Gone
		if len(s.Options) == 0 && !s.Text && s.Secret == "" && s.Next == "" && !slices.Contains([]string{"pages", "cover", "languages"}, s.Shows) && !end {
			faults.add(s.at, "the screen %q is a dead end: it has no options and leads nowhere", name)
		}
		if s.Many && s.Next == "" {
			faults.add(s.at, "the screen %q takes several options, so it needs a next", name)
		}
		if s.Text && (s.Fact == "" || s.Next == "") {
			faults.add(s.at, "the screen %q takes text, so it needs a fact and a next", name)
		}
		if !slices.Contains([]string{"", "numbers", "pages", "embassies", "languages", "cover", showsHeld, showsCode}, s.Shows) {
			faults.add(s.at, "shows: %q is not known; numbers, pages, embassies, languages, cover, held and code are", s.Shows)
		}
		for _, needs := range append([]string{s.Needs}, needs(s.Options)...) {
			if !slices.Contains([]string{"", "numbers", "language", "unspoken"}, needs) {
				faults.add(s.at, "needs: %q is not known; numbers, language and unspoken are", needs)
			}
		}
		if s.Secret != "" && (!slices.Contains(secrets(), s.Secret) || s.Fact != "" || s.Text || s.Next == "") {
			faults.add(s.at, "secret: is code, answer, word, phrase or check, on a screen with a next, without a fact or text")
		}
		if (s.Secret == secretCheck) != (name == b.policy.Ask) {
			faults.add(s.at, "the screen %q: secret: check is for the screen that the policy names as ask, and for no other", name)
		}
		if s.Needs != "" && s.Next == "" {
			faults.add(s.at, "the screen %q can be passed over, so it needs a next", name)
		}
		if s.Default != "" && s.option(s.Default).ID == "" {
			faults.add(s.at, "default: there is no option %q", s.Default)
		}
		if s.Next != "" && b.screens[s.Next] == nil {
			faults.add(s.at, "next: there is no screen %q", s.Next)
		}
		if other := facts[s.Fact]; s.Fact != "" && other != nil && other.flow == s.flow {
			faults.add(s.at, "the fact %q is asked for at %s already", s.Fact, other.at)
		}
		facts[s.Fact] = s
		seen := map[string]bool{}
		for _, o := range s.Options {
			if o.ID == "" || strings.ContainsAny(o.ID, ". ") || seen[o.ID] {
				faults.add(o.at, "each option needs an id of its own, without a dot or a space")
			}
			seen[o.ID] = true
			if o.Code != "" && (o.Code != codeAsWords && o.Code != codeAsDigits || b.screens[o.Next] == nil || b.screens[o.Next].Shows != showsCode) {
				faults.add(o.at, "code: is words or digits, and leads to a screen that shows: code")
			}
			if o.Clock < 0 || o.Clock > Duration(farthestEast) {
				faults.add(o.at, "clock: must be between 0h and 14h")
			}
			if o.Forget != "" && o.Forget != secretWord && o.Forget != secretPhrase {
				faults.add(o.at, "forget: must be word or phrase")
			}
			if o.Next != "" && b.screens[o.Next] == nil {
				faults.add(o.at, "next: there is no screen %q", o.Next)
			}
			if o.Next == "" && !o.ends() {
				faults.add(o.at, "the option %q leads nowhere", o.ID)
			}
		}
	}
}

func needs(options []option) []string {
	var out []string
	for _, o := range options {
		out = append(out, o.Needs)
	}
	return out
}

// leads returns where a screen can lead.
func (s *screen) leads() []string {
	var out []string
	if s.Next != "" {
		out = append(out, s.Next)
	}
	for _, o := range s.Options {
		if o.Next != "" {
			out = append(out, o.Next)
		}
	}
	return out
}

// checkReach finds screens that nobody can come to, and circles of questions.
func (b *Book) checkReach(faults *faults) {
	reached := map[string]bool{}
	var reach func(name string)
	reach = func(name string) {
		s := b.screens[name]
		if s == nil || reached[name] {
			return
		}
		reached[name] = true
		for _, next := range s.leads() {
			reach(next)
		}
	}
	reach(b.policy.First)
	reach(b.policy.Talk)
	reach(b.policy.Gone)
	reach(b.policy.Held)
	reach(b.policy.Renew)
	reach(b.policy.Found)
	reach(b.policy.Ask)
	for _, name := range b.order {
		if !reached[name] {
			faults.add(b.screens[name].at, "nobody can come to the screen %q", name)
		}
		b.checkCircle(name, faults)
	}
}

// checkCircle finds a circle of questions that begins and ends at a screen. One
// that goes through a menu is none: a menu is a place to come back to.
func (b *Book) checkCircle(name string, faults *faults) {
	seen := map[string]bool{}
	var visit func(at string)
	visit = func(at string) {
		s := b.screens[at]
		if s == nil || s.Menu || seen[at] {
			return
		}
		seen[at] = true
		for _, next := range s.leads() {
			if next == name {
				faults.add(s.at, "the screen %q leads back to %q: a circle of questions; mark a place to come back to with menu: true", at, name)
			}
			visit(next)
		}
	}
	if s := b.screens[name]; !s.Menu {
		visit(name)
	}
}

// wanted returns every text key that the book needs, with where it needs it.
func (b *Book) wanted() map[string]place {
	want := map[string]place{}
	for _, key := range uiTexts() {
		want[key] = place{}
	}
	b.wantedByWork(want)
	for _, name := range b.order {
		s := b.screens[name]
		want[name] = s.at
		if s.Fact != "" {
			want["fact."+s.Fact] = s.at
		}
		for _, o := range s.Options {
			want[s.label(o)] = o.at
			if o.Note != "" {
				want[o.Note] = o.at
			}
			if o.Kind != "" {
				want["card.kind."+o.Kind] = o.at
			}
		}
	}
	return want
}

func (b *Book) checkTexts(faults *faults) {
	b.checkWorkTexts(faults)
	known := b.wanted()
	for _, language := range slices.Sorted(maps.Keys(b.catalogues)) {
		c := b.catalogues[language]
		if c.texts == nil {
			continue
		}
		want := known
		if c.short {
			want = b.wantedShort()
		}
		keys := slices.Sorted(maps.Keys(want))
		for _, key := range keys {
			switch text, ok := c.texts[key]; {
			case !ok && want[key].file != "":
				faults.add(place{file: c.file}, "the text %q is missing; %s needs it", key, want[key])
			case !ok:
				faults.add(place{file: c.file}, "the text %q is missing; the program needs it", key)
			case strings.TrimSpace(text) == "":
				faults.add(place{c.file, c.lines[key]}, "the text %q is empty", key)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(c.texts)) {
			at, text := place{c.file, c.lines[key]}, c.texts[key]
			if _, ok := known[key]; !ok {
				faults.add(at, "the text %q is not used; is it misspelt?", key)
			}
			if n := len(utf16.Encode([]rune(text))); n > longestText {
				faults.add(at, "the text %q has %d characters; %d fit", key, n, longestText)
			}
			if b.isLabel(key) && utf8.RuneCountInString(text) > longestLabel {
				faults.add(at, "the label %q is longer than %d characters; it would be cut off on a telephone", key, longestLabel)
			}
			if first := b.catalogues[b.policy.Officers]; first.texts != nil {
				if other, ok := first.texts[key]; ok && !slices.Equal(holes(text), holes(other)) {
					faults.add(at, "the text %q has the placeholders %v, in %s it has %v", key, holes(text), first.file, holes(other))
				}
			}
		}
	}
}

// isLabel reports whether a text stands on a button.
func (b *Book) isLabel(key string) bool {
	if strings.Count(key, ".") == 2 {
		flow, rest, _ := strings.Cut(key, ".")
		id, _, _ := strings.Cut(rest, ".")
		return b.screens[flow+"."+id] != nil
	}
	return slices.Contains([]string{"ui.again", "ui.back", "ui.check", "ui.done", "ui.erase", "ui.held", "ui.leave", "ui.question", "ui.person", "ui.skip", "ui.open", "ui.close", "ui.next"}, key)
}
