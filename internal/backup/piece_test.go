package backup

import (
	"bytes"
	"testing"
	"time"

	"suar/storage"
)

// FuzzPiece reads bytes that may be anything: what is read has those bytes and
// no others, and nothing that lies about its length is believed.
func FuzzPiece(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendPiece(nil, storage.Piece{}))
	f.Add(appendPiece(nil, storage.Piece{
		ID: "a", Version: 1, State: []byte("s"), Names: []string{"n"}, Alarm: time.Unix(-3, 4),
		Events:      []storage.Handled{{Event: "e", At: time.Unix(9, 9)}},
		Items:       []storage.Queued{{Item: storage.Item{ID: "i", Lane: 1, Priority: 2, Body: []byte("b")}, Age: 3, Tries: 4, Token: 5}},
		Transcripts: map[string]storage.Transcript{"t": {Header: []byte{}, Entries: [][]byte{{}}}, "u": {}},
	}))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parsePiece(b)
		if err != nil {
			return
		}
		if again := appendPiece(nil, p); !bytes.Equal(again, b) {
			t.Errorf("read as %+v, which is written as %x, not %x", p, again, b)
		}
	})
}
