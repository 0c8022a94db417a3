package storage_test

import (
	"fmt"
	"os"
	"testing"
)

// childEnv makes the test binary a process for the tests to kill: its value
// names what the process does, its argument is the store's folder.
const childEnv = "SUAR_STORAGE_TEST_CHILD"

func TestMain(m *testing.M) {
	what := os.Getenv(childEnv)
	if what == "" {
		os.Exit(m.Run())
	}
	if err := child(what, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
