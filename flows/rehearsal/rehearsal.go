// Package rehearsal plays conversations without a server: a script says what the
// person, the officers and the world do, and what everybody then sees is
// written out. The golden conversations are played by it, and "suar play".
package rehearsal

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"suar/flows"
)

// Help says what a line of a script can be.
const Help = `  person starts                     the command /start
  person presses LABEL              a button of the bubble
  person says TEXT                  free text; \n is a new line
  person corrects N: TEXT           edits message N
  person sends photo [: CAPTION]    or video, voice, sticker, file, contact, location;
                                    large photo, damaged photo, lost photo
  person asks privacy               or delete, language
  person presses the button DATA    a forged or stale button
  person opens N [at PART]          the buttons beneath message N
  person closes N
  person erases N
  person blocks
  person types the code             the receipt code that was last shown
  asker starts                      and all that a person can: in another chat
  NAME claims                       an officer acts
  NAME replies POST: TEXT           a word that begins with @ mentions a colleague
  NAME notes POST: TEXT
  NAME edits POST: TEXT             // before the text makes it a note
  NAME deletes POST
  NAME closes
  NAME shows N                      a press of the Nth Show in the thread
  NAME presses LABEL                a button of the card, or of the newest line
                                    in the thread that has it
  NAME offers to NAME               the case, as at the end of a shift
  NAME departs                      is no officer any more
  NAME opens the menu               what the card's menu offers
  NAME chooses LABEL                from the card's menu; where it asks for something,
                                    LABEL with FIELD=VALUE; FIELD=VALUE
  after 2m                          time passes
  hotline is down for 49h           time passes, and no alarm comes before its end
  mattermost is down                or up, or loses the card
  telegram is down                  or up, or blocked, or refuses to delete`

// A Rehearsal is one conversation under way. It is for one goroutine.
type Rehearsal struct {
	book  *flows.Book
	out   io.Writer
	now   time.Time
	state []byte
	steps int

	lanes    map[flows.Side][]flows.Effect
	down     map[flows.Side]bool
	blocked  bool
	refuses  bool
	lost     bool // the card
	messages int
	posts    int
	card     string
	offers   []flows.MediaID
	prompts  []flows.Action
	chat     []bubble

	// asker is another chat, first the one to which that is another, prefix sets
	// apart what is seen there. code is the receipt code that was last made.
	asker, first *Rehearsal
	prefix       string
	code         string
}

// New begins a conversation at an instant; what is seen goes to out.
func New(book *flows.Book, out io.Writer, now time.Time) *Rehearsal {
	r := &Rehearsal{
		book:  book,
		out:   out,
		now:   now,
		lanes: map[flows.Side][]flows.Effect{},
		down:  map[flows.Side]bool{},
	}
	r.first = r
	return r
}

// Do plays one line of a script. An error says what the line should have been;
// nothing has happened then.
func (r *Rehearsal) Do(line string) error {
	who, what, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch who {
	case "":
		return nil
	case "after":
		return r.after(what)
	case "hotline":
		d, err := time.ParseDuration(strings.TrimPrefix(what, "is down for "))
		if err != nil {
			return fmt.Errorf("write: hotline is down for 49h: %w", err)
		}
		r.now = r.now.Add(d)
		return r.after("0s")
	case "mattermost", "telegram":
		return r.world(who, what)
	case "person":
		return r.person(what)
	case "asker":
		return r.other().person(what)
	}
	return r.desk().officer(who, what)
}

// State returns the conversation as it stands.
func (r *Rehearsal) State() flows.State {
	var s flows.State
	if len(r.state) > 0 {
		if err := json.Unmarshal(r.state, &s); err != nil {
			panic("rehearsal: a state does not survive being written down: " + err.Error())
		}
	}
	return s
}

func (r *Rehearsal) person(what string) error {
	verb, rest, _ := strings.Cut(what, " ")
	text := strings.ReplaceAll(rest, `\n`, "\n")
	switch verb {
	case "starts":
		r.happen(flows.Started{Message: r.wrote("/start")})
	case "says":
		if strings.EqualFold(strings.TrimRight(strings.TrimSpace(text), ".!, "), "hapus") {
			return r.person("asks delete")
		}
		r.happen(flows.Said{Message: r.wrote(text), Text: text})
	case "corrects":
		id, text, ok := strings.Cut(text, ": ")
		if !ok {
			return fmt.Errorf("write: person corrects N: TEXT")
		}
		if i := r.find(flows.MessageID(id)); i >= 0 {
			r.chat[i].text = text
		}
		r.happen(flows.Edited{Message: flows.MessageID(id), Text: text})
	case "sends":
		media, caption, _ := strings.Cut(text, ": ")
		r.happen(r.attached(media, caption))
	case "asks":
		r.happen(flows.Asked{Message: r.wrote("/" + rest), What: flows.Command(rest)})
	case "blocks":
		r.blocked = true
		r.happen(flows.Blocked{})
	case "opens":
		id, part, more := strings.Cut(rest, " at ")
		if !more {
			part = "1"
		}
		r.happen(flows.Chose{Message: flows.MessageID(id), Data: "part." + part})
	case "closes":
		r.happen(flows.Chose{Message: flows.MessageID(rest), Data: "part.0"})
	case "erases":
		r.happen(flows.Chose{Message: flows.MessageID(rest), Data: "erase"})
	case "types":
		r.happen(flows.Said{Message: r.wrote(r.code), Text: r.code})
	case "presses":
		return r.press(rest)
	default:
		return fmt.Errorf("the person cannot %q", verb)
	}
	return nil
}

func (r *Rehearsal) press(label string) error {
	s := r.State()
	bubble, _ := s.Bubble()
	if data, ok := strings.CutPrefix(label, "the button "); ok {
		r.happen(flows.Chose{Message: bubble, Data: data})
		return nil
	}
	var labels []string
	for _, row := range r.book.View(s, r.now).Rows {
		for _, b := range row {
			if strings.TrimLeft(b.Label, "☐☑ ") == strings.TrimLeft(label, "☐☑ ") {
				r.happen(flows.Chose{Message: bubble, Data: b.Data})
				return nil
			}
			labels = append(labels, b.Label)
		}
	}
	return fmt.Errorf("there is no button %q; there are %q", label, labels)
}

func (r *Rehearsal) officer(name, what string) error {
	o := officerOf(name)
	verb, rest, _ := strings.Cut(what, " ")
	post, text, _ := strings.Cut(rest, ": ")
	note := strings.HasPrefix(text, "//")
	mentions := slices.ContainsFunc(strings.Fields(text), func(word string) bool { return strings.HasPrefix(word, "@") })
	switch verb {
	case "claims":
		r.happen(flows.Claimed{Officer: o})
	case "shows":
		n, err := strconv.Atoi(rest)
		if err != nil || n < 1 || n > len(r.offers) {
			return fmt.Errorf("there are %d lines with a button in the thread", len(r.offers))
		}
		r.happen(flows.Acted{Officer: o, Action: flows.ActionShow, Choice: string(r.offers[n-1])})
	case "closes":
		r.happen(flows.Closed{Officer: o})
	case "opens", "chooses":
		return r.menu(o, verb, rest)
	case "presses":
		return r.pressCard(o, rest)
	case "offers":
		to := officerOf(strings.TrimPrefix(rest, "to "))
		r.happen(flows.HandedOver{By: o, To: to})
	case "departs":
		r.happen(flows.Departed{Officer: o})
	case "replies":
		r.happen(flows.Replied{Post: flows.PostID(post), Officer: o, Text: text, Mentions: mentions})
	case "notes":
		r.happen(flows.Noted{Post: flows.PostID(post), Officer: o, Text: text})
	case "edits":
		r.happen(flows.Revised{Post: flows.PostID(post), Officer: o, Text: text, Note: note, Mentions: mentions && !note})
	case "deletes":
		r.happen(flows.Withdrawn{Post: flows.PostID(post)})
	default:
		return fmt.Errorf("%q is nothing that somebody can do; help lists the lines", name+" "+verb)
	}
	return nil
}

// officerOf is an officer by name: one whose name begins with "lead" or
// "supervisor" is one.
func officerOf(name string) flows.Officer {
	o := flows.Officer{ID: "id-" + name, Name: name, Role: flows.RoleOfficer}
	for _, role := range []flows.Role{flows.RoleLead, flows.RoleSupervisor} {
		if strings.HasPrefix(name, string(role)) {
			o.Role = role
		}
	}
	return o
}

// pressCard presses a button of the card, or of a line in the thread.
func (r *Rehearsal) pressCard(o flows.Officer, label string) error {
	all := r.book.Card(r.State(), r.now).Actions
	for _, a := range slices.Backward(r.prompts) {
		all = append(all, a)
	}
	var labels []string
	for _, a := range all {
		if a.Label == label {
			r.acts(o, a)
			return nil
		}
		labels = append(labels, a.Label)
	}
	return fmt.Errorf("there is no button %q; there are %q", label, labels)
}

// acts does what a button or an entry of the menu is for.
func (r *Rehearsal) acts(o flows.Officer, a flows.Action) {
	switch a.Name {
	case flows.ActionClaim:
		r.happen(flows.Claimed{Officer: o})
	case flows.ActionClose:
		r.happen(flows.Closed{Officer: o})
	default:
		r.happen(flows.Acted{Officer: o, Action: a.Name, Choice: a.Choice})
	}
}

// menu shows the card's menu, or chooses from it.
func (r *Rehearsal) menu(o flows.Officer, verb, label string) error {
	var labels []string
	label, answers, _ := strings.Cut(label, " with ")
	for _, a := range r.book.Card(r.State(), r.now).Menu {
		if verb == "chooses" && a.Label == label && a.Form {
			return r.fill(o, a, answers)
		}
		if verb == "chooses" && a.Label == label {
			if a.Confirm != "" {
				r.printf("  %s is asked%s", o.Name, indent(a.Confirm, ": "))
			}
			r.happen(flows.Acted{Officer: o, Action: a.Name, Choice: a.Choice})
			return nil
		}
		labels = append(labels, a.Label)
	}
	if verb == "chooses" {
		return fmt.Errorf("the menu does not offer %q; it offers %q", label, labels)
	}
	r.printf("  menu        %s", strings.Join(labels, " | "))
	return nil
}

func (r *Rehearsal) world(who, what string) error {
	side := map[string]flows.Side{"mattermost": flows.Officers, "telegram": flows.Caller}[who]
	switch what {
	case "is down":
		r.down[side] = true
	case "is up":
		r.down[side], r.blocked, r.refuses = false, false, false
		r.perform()
	case "is blocked":
		r.blocked = true
	case "loses the card":
		r.lost = true
	case "refuses to delete":
		r.refuses = true
	default:
		return fmt.Errorf("%s can be: is down, is up; telegram also: is blocked, refuses to delete; mattermost also: loses the card", who)
	}
	return nil
}

// after lets time pass, stopping at each alarm on the way.
func (r *Rehearsal) after(what string) error {
	d, err := time.ParseDuration(what)
	if err != nil {
		return fmt.Errorf("write the time like 90s, 2m or 24h: %w", err)
	}
	until := r.now.Add(d)
	for {
		due := r.State().Alarm()
		if due.IsZero() || due.After(until) {
			break
		}
		if due.After(r.now) {
			r.now = due
		}
		r.printf("  (%s)", r.now.Format("Mon 15:04:05"))
		r.happen(flows.TimedOut{})
	}
	r.now = until
	if r.asker != nil {
		return r.asker.after(what)
	}
	return nil
}

// happen steps and performs what comes of it.
func (r *Rehearsal) happen(ev flows.Event) {
	r.step(ev)
	r.perform()
}

// step steps once. The state is written down and read again between every two
// events.
func (r *Rehearsal) step(ev flows.Event) {
	s := r.State()
	r.steps++
	m := flows.Moment{At: r.now}
	copy(m.Fresh[:], fmt.Sprintf("%016d", r.steps))
	next, effects := r.book.Step(s, m, ev)
	r.state = nil
	if !next.Blank() {
		raw, err := json.Marshal(next)
		if err != nil {
			panic("rehearsal: a state cannot be written down: " + err.Error())
		}
		r.state = raw
	}
	for _, e := range effects {
		if rec, ok := e.(flows.Record); ok {
			r.printf("  transcript  %s %s%s", rec.From, rec.Kind, indent(rec.Text, ": "))
			continue
		}
		if _, ok := e.(flows.Audit); ok {
			continue // Nobody who is shown here sees the trail.
		}
		if _, ok := e.(flows.Shred); ok {
			r.printf("  transcript  is erased")
			r.step(flows.Delivered{Effect: e})
			continue
		}
		r.lanes[e.To()] = append(r.lanes[e.To()], e)
	}
}

// endless is how many effects one event may bring about. More means that they
// bring about each other.
const endless = 1000

// perform delivers what waits, the person's side first.
func (r *Rehearsal) perform() {
	performed := 0
	for {
		side := flows.Caller
		if len(r.lanes[side]) == 0 || r.down[side] {
			side = flows.Officers
		}
		if len(r.lanes[side]) == 0 || r.down[side] {
			side = flows.Keeper
		}
		if len(r.lanes[side]) == 0 || r.down[side] {
			return
		}
		e := r.lanes[side][0]
		r.lanes[side] = r.lanes[side][1:]
		if performed++; performed > endless {
			panic(fmt.Sprintf("rehearsal: the effects bring about each other without end; the last is %T", e))
		}
		r.step(r.deliver(e))
	}
}

func (r *Rehearsal) deliver(e flows.Effect) flows.Event {
	d := flows.Delivered{Effect: e}
	if e.To() == flows.Caller && r.blocked {
		return flows.Undelivered{Effect: e, Reason: flows.ReasonBlocked}
	}
	s := r.State()
	if !r.book.Wanted(s, r.now, e) {
		return flows.Undelivered{Effect: e, Reason: flows.ReasonUnwanted}
	}
	if r.lost && lostWith(e) {
		return flows.Undelivered{Effect: e, Reason: flows.ReasonGone}
	}
	bubble, buried := s.Bubble()
	switch e := e.(type) {
	case flows.Show:
		v := r.book.View(s, r.now)
		switch {
		case v.Text == "" || (e.Quiet && bubble == ""):
			d.Message = bubble
			return d
		case bubble == "" || (buried && !e.Quiet):
			d.Message = r.message()
		default:
			d.Message = bubble
		}
		r.appears(d.Message, v.Text, v.Rows)
		r.printf("  bubble %s%s", d.Message, indent(v.Text, ": "))
		for _, row := range v.Rows {
			var labels []string
			for _, b := range row {
				labels = append(labels, "["+b.Label+"]")
			}
			r.printf("      %s", strings.Join(labels, " "))
		}
	case flows.Say:
		d.Message = r.message()
		r.appears(d.Message, e.Text, e.Rows)
		r.printf("  bot says %s%s%s", d.Message, indent(e.Text, ": "), labels(e.Rows))
	case flows.Amend:
		r.appears(e.Message, e.Text, e.Rows)
		r.printf("  bot changes %s%s%s", e.Message, indent(e.Text, " to: "), labels(e.Rows))
	case flows.Erase:
		if r.refuses {
			d.Kept = slices.Clone(e.Messages)
			r.printf("  telegram keeps %v", e.Messages)
			return d
		}
		if d.Kept = r.tooOld(e.Messages); len(d.Kept) > 0 {
			r.printf("  telegram keeps %v", d.Kept)
		}
		gone := slices.DeleteFunc(slices.Clone(e.Messages), func(id flows.MessageID) bool { return slices.Contains(d.Kept, id) })
		if r.vanish(gone); len(gone) > 0 {
			r.printf("  bot deletes %v", gone)
		}
	case flows.Hash, flows.Check, flows.Look, flows.Seek, flows.Hand:
		return r.keep(e)
	case flows.Fetch, flows.Offer, flows.Present, flows.Restate, flows.Drop:
		return r.deliverMedia(e)
	case flows.Open:
		r.lost = false
		r.posts++
		d.Post = flows.PostID(fmt.Sprintf("card%d", r.posts))
		r.showCard("card", r.book.Card(s, r.now))
	case flows.Update:
		card := r.book.Card(s, r.now)
		if e.Last != nil {
			card = *e.Last
		}
		r.showCard("card becomes", card)
	case flows.Relay:
		r.printf("  thread      %s", strings.TrimSpace(e.Label+indent(e.Text, " > ")))
	case flows.Tell:
		r.printf("  thread      (%s)%s", e.Text, indent(e.Quote, " > "))
		if e.Calls.ID != "" {
			r.printf("  %s is called about %s", e.Calls.Name, e.Code)
		}
	case flows.Refer:
		r.posts++
		d.Post = flows.PostID(fmt.Sprintf("packet%d", r.posts))
		r.printf("  thread      %s: (%s) file %s for %.8s…%s", d.Post, e.Text, e.Name, e.Recipient, indent(strings.TrimSpace(e.Content), ": "))
	case flows.Retract:
		r.printf("  %s is removed", e.Post)
	case flows.Prompt:
		r.posts++
		d.Post = flows.PostID(fmt.Sprintf("line%d", r.posts))
		r.prompts = append(r.prompts, e.Actions...)
		var labels []string
		for _, a := range e.Actions {
			labels = append(labels, "["+a.Label+"]")
		}
		r.printf("  thread      %s: (%s) %s", d.Post, e.Text, strings.Join(labels, " "))
	case flows.Page:
		r.printf("  officers are called, %d: %s", e.Level, e.Text)
	case flows.Mark:
		r.printf("  %s is marked %s", e.Post, e.Sign)
	}
	return d
}

// lostWith reports whether an effect needs the card.
func lostWith(e flows.Effect) bool {
	switch e.(type) {
	case flows.Update, flows.Relay, flows.Tell, flows.Page, flows.Offer, flows.Present, flows.Prompt, flows.Refer:
		return true
	}
	return false
}

// showCard writes a card, unless it looks as it did.
func (r *Rehearsal) showCard(what string, c flows.Card) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)", c.Title, c.Tone)
	for _, l := range c.Lines {
		fmt.Fprintf(&b, "\n      %s: %s", l.Label, l.Value)
	}
	for _, a := range c.Actions {
		fmt.Fprintf(&b, " [%s]", a.Label)
	}
	if b.String() != r.card {
		r.card = b.String()
		r.printf("  %s: %s", what, r.card)
	}
}

// labels writes buttons on one line.
func labels(rows [][]flows.Button) string {
	var b strings.Builder
	for _, row := range rows {
		for _, button := range row {
			fmt.Fprintf(&b, " [%s]", button.Label)
		}
	}
	return b.String()
}

func (r *Rehearsal) message() flows.MessageID {
	r.messages++
	return flows.MessageID(fmt.Sprintf("m%d", r.messages))
}

func (r *Rehearsal) printf(format string, args ...any) {
	fmt.Fprintf(r.out, r.prefix+format+"\n", args...)
}

// indent sets a text of several lines below its first one.
func indent(text, lead string) string {
	if text == "" {
		return ""
	}
	return lead + strings.ReplaceAll(text, "\n", "\n      ")
}
