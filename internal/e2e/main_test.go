// Package e2e proves the hotline as it is shipped: the program itself, started
// as a process of its own with a configuration and key files, between a Bot API
// server on loopback and a Mattermost. It holds tests only.
//
// -short makes the large tests small: 20 people in place of 200, 10 kills in
// place of 200.
package e2e

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"sync"
	"testing"

	"suar/internal/load/rig"
)

// beside is how many tests run beside each other unless -parallel says it: they
// wait more than they work, each for servers of its own.
const beside = "4"

func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", beside); err != nil {
			panic(err)
		}
	}
	// Hundreds of officers' clients share this transport; with the two idle
	// connections that it keeps by default each request would dial.
	if t, ok := http.DefaultTransport.(*http.Transport); ok {
		t.MaxIdleConnsPerHost = 64
	}
	code := m.Run()
	if folder, err := folder(); err == nil {
		if err := os.RemoveAll(folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}

// folder is where the programs are built.
var folder = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "suar-e2e-") })

// program builds a command once a process and returns its path.
func program(t testing.TB, build func() (string, error)) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var (
	suar = sync.OnceValues(func() (string, error) { return build("suar/cmd/suar", "suar") })
	// ageTool is the standard tool, with which officers can do without this program.
	ageTool = sync.OnceValues(func() (string, error) { return build("filippo.io/age/cmd/age", "age") })
)

func build(path, name string) (string, error) {
	dir, err := folder()
	if err != nil {
		return "", err
	}
	return rig.Build(context.Background(), dir, name, path)
}
