package storagetest

import (
	"fmt"

	"suar/storage"
)

func transcriptGrows(f *fixture) {
	var want [][]byte
	for i := range 5 {
		c := storage.Commit{ID: "ann", Version: uint64(i), State: []byte("x"), Transcript: "case"}
		for j := range i {
			c.Entries = append(c.Entries, fmt.Appendf(nil, "%d.%d", i, j))
		}
		want = append(want, c.Entries...)
		f.commit(c)
	}
	f.equal("transcript", f.transcript("case"), storage.Transcript{Entries: want})
	// Another conversation may add to it: a case outlives a record.
	f.commit(storage.Commit{ID: "bob", State: []byte("x"), Transcript: "case", Entries: [][]byte{[]byte("bob")}})
	f.commit(storage.Commit{ID: "bob", Version: 1, State: []byte("x"), Transcript: "cas", Entries: [][]byte{[]byte("other")}})
	f.equal("transcript", f.transcript("case"), storage.Transcript{Entries: append(want, []byte("bob"))})
}

func header(f *fixture) {
	// A name with neither header nor entries makes no transcript.
	f.commit(storage.Commit{ID: "ann", State: []byte("x"), Transcript: "case"})
	f.noTranscript("case")
	f.commit(storage.Commit{ID: "ann", Version: 1, State: []byte("x"), Transcript: "case", Header: []byte("one")})
	f.equal("transcript", f.transcript("case"), storage.Transcript{Header: []byte("one")})
	f.commit(storage.Commit{ID: "ann", Version: 2, State: []byte("x"), Transcript: "case", Entries: [][]byte{[]byte("entry")}})
	want := storage.Transcript{Header: []byte("one"), Entries: [][]byte{[]byte("entry")}}
	f.equal("transcript", f.transcript("case"), want)
	f.commit(storage.Commit{ID: "ann", Version: 3, State: []byte("x"), Transcript: "case", Header: []byte("two")})
	want.Header = []byte("two")
	f.equal("transcript", f.transcript("case"), want)
	f.commit(storage.Commit{ID: "ann", Version: 4, State: []byte("x"), Transcript: "case", Header: []byte{}})
	want.Header = nil
	f.equal("transcript", f.transcript("case"), want)
}

func transcriptsListed(f *fixture) {
	for _, name := range []string{"b2", "a", "b\xff", "b1", "B", "c", "b", "b\x00", "b10"} {
		f.commit(storage.Commit{ID: name, State: []byte("x"), Transcript: name, Entries: [][]byte{[]byte("x")}})
	}
	f.transcripts("b", 10, "b", "b\x00", "b1", "b10", "b2", "b\xff")
	f.transcripts("b1", 10, "b1", "b10")
	f.transcripts("", 3, "B", "a", "b")
	f.transcripts("b", 2, "b", "b\x00")
	f.transcripts("b", 0)
	f.transcripts("d", 10)
	f.transcripts("b\xff", 10, "b\xff")
}

func forget(f *fixture) {
	for _, name := range []string{"case", "cas", "case2"} {
		f.commit(storage.Commit{
			ID: name, State: []byte("x"), Names: []string{"thread of " + name}, Alarm: at(1), Items: toCaller(name),
			Transcript: name, Header: []byte("header of " + name), Entries: [][]byte{[]byte("1"), []byte("2")},
		})
	}
	f.forget("case")
	f.forget("case")
	f.forget("never was")
	f.noTranscript("case")
	f.transcripts("", 10, "cas", "case2")
	for _, name := range []string{"cas", "case2"} {
		f.equal("transcript", f.transcript(name), storage.Transcript{
			Header: []byte("header of " + name), Entries: [][]byte{[]byte("1"), []byte("2")},
		})
	}
	// The conversation is not the transcript.
	f.equal("record", f.load("case"), storage.Record{Version: 1, State: []byte("x"), Alarm: at(1)})
	f.resolves("thread of case", "case")
	// A new transcript under an old name has nothing of the old one.
	f.commit(storage.Commit{ID: "case", Version: 1, State: []byte("x"), Transcript: "case", Entries: [][]byte{[]byte("new")}})
	f.equal("transcript", f.transcript("case"), storage.Transcript{Entries: [][]byte{[]byte("new")}})
}
