package storage_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"suar/storage"
)

// TestAlarmsMove moves alarms later and earlier again and again, some of them
// while nobody looks: at each instant those are due that are, in their order, as
// a list of them says, for who may write and for who may not.
func TestAlarmsMove(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := openEmbedded(t, path)
	at := func(m int) time.Time { return crashStart.Add(time.Duration(m) * time.Minute) }
	alarms, versions := map[string]int{}, map[string]uint64{}
	for step := range 300 {
		id := fmt.Sprint("c", step*7%17)
		c := storage.Commit{ID: id, Version: versions[id], State: []byte("x")}
		switch m := step * 37 % 101; {
		case m < 5:
			delete(alarms, id)
		case m < 8 && versions[id] > 0:
			c.State = nil
			delete(alarms, id)
		default:
			alarms[id], c.Alarm = m, at(m)
		}
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		versions[id]++
		if c.State == nil {
			versions[id] = 0
		}
		if step%5 != 0 {
			continue
		}
		if step%50 == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			reader, err := storage.ReadEmbedded(path)
			if err != nil {
				t.Fatal(err)
			}
			checkDue(t, reader, alarms, step%120, at)
			if err := reader.Close(); err != nil {
				t.Fatal(err)
			}
			s = openEmbedded(t, path)
		}
		checkDue(t, s, alarms, step%120, at)
	}
}

// checkDue expects those to be due whose alarm is not after the minute.
func checkDue(t *testing.T, s *storage.Embedded, alarms map[string]int, minute int, at func(int) time.Time) {
	t.Helper()
	for _, n := range []int{3, 100} {
		var want []int
		for _, m := range alarms {
			if m <= minute {
				want = append(want, m)
			}
		}
		slices.Sort(want)
		want = want[:min(n, len(want))]
		due, err := s.Due(t.Context(), at(minute), n)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, id := range due {
			m, ok := alarms[id]
			if !ok {
				t.Errorf("%s is due and has no alarm", id)
			}
			got = append(got, m)
		}
		if !slices.Equal(got, want) {
			t.Errorf("at %d of %d: due %v, want %v", minute, n, got, want)
		}
	}
}
