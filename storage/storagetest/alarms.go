package storagetest

import "suar/storage"

func due(f *fixture) {
	for _, c := range []storage.Commit{
		{ID: "late", Alarm: at(30)},
		{ID: "early", Alarm: at(10)},
		{ID: "never"},
		{ID: "middle", Alarm: at(20)},
	} {
		c.State = []byte("1")
		f.commit(c)
	}
	f.due(at(9), 10)
	f.due(at(10), 10, "early")
	f.due(at(29), 10, "early", "middle")
	f.due(at(forever), 10, "early", "middle", "late")
	f.due(at(forever), 2, "early", "middle")
	f.due(at(forever), 0)
}

func alarmMoves(f *fixture) {
	f.commit(storage.Commit{ID: "ann", State: []byte("1"), Alarm: at(10)})
	f.commit(storage.Commit{ID: "bob", State: []byte("1"), Alarm: at(15)})
	f.due(at(20), 10, "ann", "bob")
	f.due(at(20), 10, "ann", "bob")
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("2"), Alarm: at(18)})
	f.due(at(17), 10, "bob")
	f.due(at(20), 10, "bob", "ann")
	f.commit(storage.Commit{ID: "ann", Version: 2, State: []byte("3"), Alarm: at(5)})
	f.due(at(5), 10, "ann")
	f.commit(storage.Commit{ID: "ann", Version: 3, State: []byte("4")})
	f.due(at(20), 10, "bob")
	f.commit(storage.Commit{ID: "bob", Version: 1})
	f.due(at(forever), 10)
}
