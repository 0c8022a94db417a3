package rehearsal

import "suar/flows"

// keep performs what the engine performs itself, and returns the event that comes
// of it.
func (r *Rehearsal) keep(e flows.Effect) flows.Event {
	switch e := e.(type) {
	case flows.Hash:
		if e.Index && e.For != "tag" {
			r.code = e.Note
			if r.asker != nil {
				r.asker.code = e.Note
			}
		}
		return Keep(e)
	case flows.Check, flows.Look:
		return Keep(e)
	case flows.Seek:
		for _, chat := range []*Rehearsal{r.first, r.first.asker} {
			if chat != nil && chat.State().Lookup() == e.Sum {
				sought := flows.Sought{From: r.prefix, Here: chat == r, Sum: e.Sum, Text: e.Text}
				defer chat.happen(sought)
				break
			}
		}
		return flows.Delivered{Effect: flows.Seek{}}
	case flows.Hand:
		r.printf("  the case goes to the other chat")
		other := r.first
		if r == r.first {
			other = r.asker
		}
		other.offers, other.card = r.offers, r.card
		other.happen(flows.Ceded{To: e.Case.ID})
		other.happen(flows.Joined{Hand: e})
		return flows.Delivered{Effect: flows.Hand{}}
	}
	return nil
}

// other returns the second chat, in which somebody may type the first one's code.
// What happens there is set apart by a bar.
func (r *Rehearsal) other() *Rehearsal {
	if r.asker == nil {
		r.asker = New(r.book, r.out, r.now)
		r.asker.first, r.asker.prefix, r.asker.code = r, "| ", r.code
		r.asker.messages, r.asker.posts, r.asker.steps = 100, 100, 1000
	}
	r.asker.now = r.now
	return r.asker
}

// desk returns the chat whose case the officers have.
func (r *Rehearsal) desk() *Rehearsal {
	if _, here := r.State().CaseID(); !here && r.asker != nil {
		return r.other()
	}
	return r
}
