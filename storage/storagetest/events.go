package storagetest

import (
	"fmt"
	"strings"

	"suar/storage"
)

func eventsTogether(f *fixture) {
	f.commit(storage.Commit{ID: "ann", Events: []string{"e1", "e2", "e3"}, State: []byte("1")})
	for _, event := range []string{"e1", "e2", "e3"} {
		f.refuse(storage.Commit{ID: "ann", Version: 1, Events: []string{event}, State: []byte("2")}, storage.ErrDuplicate)
	}
	// One that is known already is enough, wherever it stands, and the new ones
	// beside it are not kept: they come again one by one.
	for i, events := range [][]string{{"e3", "n1", "n2"}, {"n1", "e1", "n2"}, {"n1", "n2", "e2"}} {
		f.refuse(storage.Commit{ID: "ann", Version: 1, Events: events, State: []byte("2")}, storage.ErrDuplicate)
		f.equal(fmt.Sprint("record after ", i), f.load("ann"), storage.Record{Version: 1, State: []byte("1")})
	}
	f.commit(storage.Commit{ID: "ann", Version: 1, Events: []string{"n2"}, State: []byte("2")})
	f.commit(storage.Commit{ID: "ann", Version: 2, Events: []string{"n1"}, State: []byte("3")})
	// What an erasing commit was of is remembered too, all of it.
	f.commit(storage.Commit{ID: "ann", Version: 3, Events: []string{"l1", "l2"}})
	f.refuse(storage.Commit{ID: "ann", Events: []string{"l1"}, State: []byte("4")}, storage.ErrDuplicate)
	f.refuse(storage.Commit{ID: "ann", Events: []string{"l2"}, State: []byte("4")}, storage.ErrDuplicate)
	f.noRecord("ann")
}

func eventLimits(f *fixture) {
	many := func(n int) []string {
		var events []string
		for i := range n {
			events = append(events, fmt.Sprint("event ", i))
		}
		return events
	}
	full := strings.Repeat("e", storage.MaxName)
	f.commit(storage.Commit{ID: "ann", Events: []string{full}, State: []byte("1")})
	f.refuse(storage.Commit{ID: "ann", Version: 1, Events: []string{full}, State: []byte("2")}, storage.ErrDuplicate)
	for _, events := range [][]string{
		{""}, {"new", ""}, {full + "e"}, {"new", "new"}, {"new", "other", "new"}, many(storage.MaxEvents + 1),
	} {
		f.refuse(storage.Commit{ID: "ann", Version: 1, Events: events, State: []byte("2")}, nil)
	}
	f.equal("record", f.load("ann"), storage.Record{Version: 1, State: []byte("1")})
	f.commit(storage.Commit{ID: "ann", Version: 1, Events: many(storage.MaxEvents), State: []byte("2")})
	f.commit(storage.Commit{ID: "ann", Version: 2, Events: []string{"new"}, State: []byte("3")})
	f.refuse(storage.Commit{ID: "ann", Version: 3, Events: []string{fmt.Sprint("event ", storage.MaxEvents-1)}, State: []byte("4")}, storage.ErrDuplicate)
}

// sweepTogether finds each event of a commit counted and forgotten.
func sweepTogether(f *fixture) {
	f.commit(storage.Commit{ID: "ann", Events: []string{"e1", "e2", "e3"}, At: at(1), State: []byte("1")})
	f.commit(storage.Commit{ID: "bob", Events: []string{"e1"}, At: at(2), State: []byte("1")})
	f.sweep(at(1), 10, 0)
	f.sweep(at(2), 2, 2)
	f.sweep(at(2), 2, 1)
	f.commit(storage.Commit{ID: "ann", Version: 1, Events: []string{"e1", "e2", "e3"}, At: at(3), State: []byte("2")})
	f.refuse(storage.Commit{ID: "bob", Version: 1, Events: []string{"e1"}, State: []byte("2")}, storage.ErrDuplicate)
	f.sweep(at(9), 10, 4)
}
