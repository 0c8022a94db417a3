package flows

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// View is what the person's bubble shows in a state at an instant. Its text is
// empty if there is nothing to show.
func (b *Book) View(s State, at time.Time) View {
	if s.Mask != nil {
		return b.View(s.wear(), at)
	}
	if s.Rest != nil {
		s = s.cover()
	}
	here := b.screens[s.Screen]
	if here == nil {
		return View{}
	}
	asking := s.Before != "" // Whoever is asked learns nothing of the case.
	say := func(key string, pairs ...string) string { return b.say(s.Language, key, pairs...) }
	if here.name == b.policy.First && s.Page == "" && s.Note == "" {
		return b.Cover(s.Language, s.Token, at)
	}
	var parts []string
	if status := b.status(s); status != "" && here.name != b.policy.First && !asking {
		parts = append(parts, strings.TrimSpace(say(status, "numbers", b.numbers(s.Language, at), "time", b.dutyTime(s.Case))))
		if s.Notice == "" && len(s.Answers) == 0 && s.Case.Phase != Ended && s.Case.Phase != Owned {
			parts = append(parts, say("ui.notice_short"))
		}
	}
	if s.Case != nil && s.Case.Lost && !s.Left && !asking {
		parts = append(parts, say("ui.lost"))
	}
	if s.Note == notePrivacy {
		// It is long: it stands alone, with the way back.
		return View{
			Text: strings.Join(append(parts, say(s.Note)), "\n\n"),
			Rows: b.privacyRows(s),
		}
	}
	if s.Note != "" {
		parts = append(parts, say(s.Note))
	}
	if here.name == b.policy.Talk && b.status(s) != "" && s.Case.Phase != Ended {
		parts = append(parts, say(s.rule()))
	}
	v := View{}
	page, open := b.page(s, at)
	switch {
	case open:
		parts = append(parts, in(page.Title, s.Language, b.languages)+"\n\n"+in(page.Text, s.Language, b.languages))
	case here.name == b.policy.Talk && s.Case != nil && s.Case.Phase == Ended && !s.Left && !b.text[s.Language].short:
		parts = append(parts, say("ui.talk_closed"))
	case here.name == b.policy.Talk && s.takes():
		parts = append(parts, say("ui.talk_media"))
	case here.name == b.policy.Renew:
		parts = append(parts, say(here.name), say(b.consent()))
	case here.Shows == showsCode && s.Code == "":
		parts = append(parts, say("ui.code_wait"))
	case here.Shows == showsCode:
		parts = append(parts, say(here.name, "code", s.Code))
	case here.Shows == showsHeld:
		parts = append(parts, say(here.name), b.held(s, at))
	default:
		parts = append(parts, b.words(s.Language, here, at))
	}
	v.Text = strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "\n\n")

	if !open {
		b.choices(&v, s, here, at)
	}
	b.controls(&v, s, here, open)
	return v
}

// dutyTime is when somebody is on duty again, "" if that is not known or nobody need.
func (b *Book) dutyTime(c *Case) string {
	if c.Duty.IsZero() {
		return ""
	}
	return b.officersClock(c.Duty)
}

// status is the text key of how the case stands, "" without one. It never says
// more than what has happened.
func (b *Book) status(s State) string {
	c := s.Case
	switch {
	case c == nil || s.Left:
		return ""
	case c.Phase == Ended:
		return "ui.status.closed"
	case c.Stuck:
		return "ui.status.stuck"
	case c.Phase == Opening || c.Calling:
		return "ui.status.opening"
	case c.underWay() > 0:
		return "ui.status.sending"
	case c.Phase == Owned && c.Read:
		return "ui.status.read"
	case c.Phase == Owned && c.Has:
		return "ui.status.has"
	case c.Phase == Owned:
		return "ui.status.claimed"
	case c.Unattended && c.Duty.IsZero():
		return "ui.status.unattended"
	case c.Unattended:
		return "ui.status.unattended_until"
	case c.Late:
		return "ui.status.late"
	}
	return "ui.status.alerting"
}

// page is the directory's page that is open.
func (b *Book) page(s State, at time.Time) (DirectoryTab, bool) {
	if s.Page == "" {
		return DirectoryTab{}, false
	}
	pages := b.pages(at)
	i := slices.IndexFunc(pages, func(p DirectoryTab) bool { return p.ID == s.Page })
	if i < 0 {
		return DirectoryTab{}, false
	}
	return pages[i], true
}

// narrow is how many characters two buttons in a row may have each.
const narrow = 18

// choices adds what the screen asks.
func (b *Book) choices(v *View, s State, here *screen, at time.Time) {
	if here.Shows == showsHeld {
		v.Rows = append(v.Rows, b.corrections(s)...)
	}
	var list []Button
	if here.Shows == "pages" || here.Shows == "cover" {
		for i, p := range b.pages(at) {
			list = append(list, Button{
				Label: in(p.Title, s.Language, b.languages),
				Data:  s.Token + "." + pressPage + strconv.Itoa(i),
			})
		}
	}
	if here.Shows == "languages" || here.Shows == "cover" && b.has("unspoken", s.Language, at) {
		v.stack(list)
		list = nil
		for _, l := range b.languages {
			list = append(list, Button{Label: b.text[l].name, Data: s.Token + "." + pressLanguage + l})
		}
		v.stack(list)
		list = nil
	}
	for i, o := range here.Options {
		if !b.has(o.Needs, s.Language, at) || !b.offered(s.Language, here, o) ||
			(o.Open || o.Forget != "") && (s.Case == nil || s.Case.Phase == Ended || s.Left) {
			continue
		}
		label := b.say(s.Language, here.label(o))
		if strings.Contains(label, "{") {
			label = b.say(s.Language, here.label(o), "from", clockTime(b.policy.Day.From), "to", clockTime(b.policy.Day.To))
		}
		if here.Many {
			box := "☐ "
			if slices.Contains(s.Picks, o.ID) {
				box = "☑ "
			}
			label = box + label
		}
		list = append(list, Button{
			Label:  label,
			Data:   s.Token + "." + pressOption + strconv.Itoa(i),
			Danger: o.Danger && o.Kind != "",
		})
	}
	v.stack(list)
	if here.Many {
		v.Rows = append(v.Rows, []Button{{Label: b.say(s.Language, "ui.done"), Data: s.Token + "." + pressDone}})
	}
}

// stack adds buttons, two in a row where both are short.
func (v *View) stack(list []Button) {
	for len(list) > 0 {
		n := 1
		if len(list) > 1 && short(list[0]) && short(list[1]) {
			n = 2
		}
		v.Rows = append(v.Rows, slices.Clip(list[:n]))
		list = list[n:]
	}
}

func short(b Button) bool { return utf8.RuneCountInString(b.Label) <= narrow }

// controls adds what is on every screen: back, skip, a person, delete.
func (b *Book) controls(v *View, s State, here *screen, open bool) {
	button := func(key, press string) Button {
		return Button{Label: b.say(s.Language, key), Data: s.Token + "." + press}
	}
	var row []Button
	asking := s.Before != "" // Nothing else is to be had before the answer.
	if !asking && s.asking() && here.name != b.policy.Found {
		v.stack([]Button{button("ui.question", pressFound)})
	}
	if !asking && (open || len(s.Trail) > 0 || here.leadsBack()) {
		row = append(row, button("ui.back", pressBack))
	}
	if !open && b.skips(s, here) {
		row = append(row, button("ui.skip", pressSkip))
	}
	v.stack(row)
	row = nil
	ended := s.Case != nil && s.Case.Phase == Ended && !s.Left && !asking
	if ended {
		row = append(row, button("ui.again", pressNew))
	}
	row = append(row, button("ui.person", pressHuman))
	if here.name == b.policy.Talk && s.Case != nil && !s.Left && (s.rule() != "" || s.held()) {
		row = append(row, button("ui.check", pressCheck))
	}
	row = append(row, button("ui.leave", pressLeave))
	v.stack(row)
}

// skips reports whether a question can be skipped. Where the person came to change
// something it cannot if that would choose for them: a default, or the clock.
func (b *Book) skips(s State, here *screen) bool {
	if here.Gate || here.Setting || here.Next == "" {
		return false
	}
	from := b.screens[s.from()]
	return from == nil || !from.Setting && (from.name != b.policy.Held || here.Default == "" && here.Fact != factClock)
}

// from is the screen that Back leads to, "" without one.
func (s State) from() string {
	if len(s.Trail) == 0 {
		return ""
	}
	return s.Trail[len(s.Trail)-1]
}

// notePrivacy is the note that stands alone.
const notePrivacy = "ui.privacy"

// rule is the text key of what the person's rule means for replies, "" if they
// come by themselves.
func (s State) rule() string {
	a, ok := s.answer(factContact)
	switch {
	case !ok:
		return ""
	case len(a.Options) == 0 || a.Options[0] == "first":
		return "ui.rule_silent"
	case a.Options[0] == "day" || a.Options[0] == "night":
		return "ui.rule_hours"
	}
	return ""
}

// held reports whether replies wait.
func (s State) held() bool {
	return slices.ContainsFunc(s.Replies, func(r Reply) bool { return r.Held })
}

// clockTime is an offset from midnight as people read it.
func clockTime(d Duration) string {
	return time.Time{}.Add(time.Duration(d)).Format("15.04")
}
