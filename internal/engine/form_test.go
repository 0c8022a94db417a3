package engine

import (
	"errors"
	"testing"
	"testing/synctest"

	"suar/flows"
)

// TestForm: a form is of the case that its card is of, as it is now.
func TestForm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		stop := w.run(e)
		w.handle(e, said(1, 1, "a "+canary))
		synctest.Wait()
		stop()
		ask := FormFor{Name: "mm:p1", Action: "form", Officer: flows.Officer{ID: "u1", Name: "ayu"}}
		conversation, err := e.resolve(t.Context(), ask.Name)
		if err != nil {
			t.Fatal(err)
		}
		ask.Conversation = conversation
		with := func(change func(*FormFor)) FormFor {
			q := ask
			change(&q)
			return q
		}
		for name, tt := range map[string]struct {
			q     FormFor
			want  error
			intro string
		}{
			"its form":             {q: ask},
			"any conversation":     {q: with(func(q *FormFor) { q.Conversation = "" })},
			"a preview":            {q: with(func(q *FormFor) { q.Choice, q.Values = "preview", map[string]string{"why": "x"} }), intro: "preview of x"},
			"none of a mere form":  {q: with(func(q *FormFor) { q.Values = map[string]string{"why": "x"} })},
			"another conversation": {q: with(func(q *FormFor) { q.Conversation = "other" }), want: ErrUnknown},
			"another card":         {q: with(func(q *FormFor) { q.Name = "mm:nobody" }), want: ErrUnknown},
			"another action":       {q: with(func(q *FormFor) { q.Action = "other" }), want: ErrNoForm},
		} {
			f, err := e.Form(t.Context(), tt.q)
			if !errors.Is(err, tt.want) || err == nil && (f.Title != "ayu"+tt.q.Choice || f.Intro != tt.intro) {
				t.Errorf("%s: %+v, %v; want %v", name, f, err, tt.want)
			}
		}
	})
}
