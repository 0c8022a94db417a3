package backup

import (
	"fmt"
	"os"
	"time"
)

// Newest returns when the newest whole backup in a folder was made, by its name;
// zero if there is none.
func Newest(folder string) (time.Time, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return time.Time{}, fmt.Errorf("backup: %w", err)
	}
	var newest time.Time
	for _, e := range entries {
		if made, ok := madeOf(e.Name()); ok && e.Type().IsRegular() && made.After(newest) {
			newest = made
		}
	}
	return newest, nil
}
