package flows

import (
	"embed"
	"io/fs"
)

//go:embed book
var shipped embed.FS

// Shipped returns the book that comes with the program, for Load.
func Shipped() fs.FS {
	sub, err := fs.Sub(shipped, "book")
	if err != nil {
		panic("flows: the embedded book is not there: " + err.Error())
	}
	return sub
}
