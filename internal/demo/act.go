package demo

import (
	"context"
	"errors"
	"strings"
)

// An act is what somebody does on the page.
type act struct {
	Do      string `json:"do"`
	Officer string `json:"officer"`
	Message int    `json:"message"`
	Phone   int64  `json:"phone"`
	Post    string `json:"post"`
	Data    string `json:"data"`
	Text    string `json:"text"`
	// Values are what was filled in in a dialog, by the names of its fields.
	Values map[string]string `json:"values"`
}

// An outcome of a dialog is what is wrong with what was filled in, by fields; under
// "" what is wrong with the whole.
type outcome struct {
	Faults map[string]string `json:"faults,omitempty"`
}

// errAct says that there is no such act, or that it lacks something.
var errAct = errors.New("demo: no such act")

// perform does what the page asks. What it returns, if anything, is the answer
// to the page as JSON.
func (s *stage) perform(ctx context.Context, a act) (any, error) {
	side, do, _ := strings.Cut(a.Do, ".")
	switch side {
	case "phone":
		return nil, s.onPhone(do, a)
	case "officer":
		if do == "answer" {
			return s.answer(ctx, a)
		}
		return nil, s.asOfficer(ctx, do, a)
	}
	person, _ := s.now()
	switch a.Do {
	case "find":
		return s.h.Find(strings.TrimSpace(a.Text), person.ID())
	case "open":
		return s.h.Open(ctx, a.Data)
	}
	return nil, errAct
}

func (s *stage) onPhone(do string, a act) error {
	person, _ := s.now()
	switch do {
	case "start":
		s.update(func() { s.blocked[person.ID()] = false })
		person.Start()
	case "say":
		if strings.TrimSpace(a.Text) == "" {
			return errAct
		}
		person.Say(a.Text)
	case "press":
		return person.Press(a.Data, a.Message)
	case "edit":
		return person.Edit(a.Message, a.Text)
	case "delete":
		person.Delete(a.Message)
	case "photo":
		return sendPhoto(person, a.Text)
	case "block":
		person.Block()
		s.update(func() { s.blocked[person.ID()] = true })
	case "unblock":
		person.Unblock()
		s.update(func() { s.blocked[person.ID()] = false })
	case "another":
		s.update(func() { s.last++; s.person = s.last })
	case "take":
		return s.take(a.Phone)
	default:
		return errAct
	}
	return nil
}

// take takes the nth phone into the hand again.
func (s *stage) take(n int64) error {
	err := errAct
	s.update(func() {
		if n >= 1 && n <= s.last-firstPerson+1 {
			s.person, err = firstPerson+n-1, nil
		}
	})
	return err
}

func (s *stage) asOfficer(ctx context.Context, do string, a act) error {
	o, err := s.h.officer(a.Officer)
	if err != nil {
		return err
	}
	switch do {
	case "post":
		if strings.TrimSpace(a.Text) == "" {
			return errAct
		}
		_, err := o.Say(ctx, s.h.channel, a.Post, a.Text)
		return err
	case "edit":
		return o.Edit(ctx, a.Post, a.Text)
	case "delete":
		return o.Delete(ctx, a.Post)
	case "press":
		return o.Press(ctx, a.Post, a.Data)
	case "choose":
		return o.Choose(ctx, a.Post, a.Data, a.Text)
	case "cancel":
		if d := s.takeDialog(o.name); d != nil {
			return o.Cancel(ctx, s.h.channel, d)
		}
		return nil
	case "understood":
		s.update(func() { delete(s.whispers, o.name) })
		return nil
	}
	return errAct
}

// answer sends an officer's dialog. One that has faults stays open.
func (s *stage) answer(ctx context.Context, a act) (any, error) {
	o, err := s.h.officer(a.Officer)
	if err != nil {
		return nil, err
	}
	d := s.takeDialog(o.name)
	if d == nil {
		return nil, errAct
	}
	faults, next, err := s.h.answer(ctx, o, d, a.Values)
	if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		next = d
	}
	if next != nil {
		s.update(func() { s.dialogs[o.name] = next })
	}
	return outcome{Faults: faults}, nil
}
