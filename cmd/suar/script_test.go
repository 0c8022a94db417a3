package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == scrubArgument {
		main() // A hotline of a test cleans a photo.
	}
	if len(os.Args) == 2 && (os.Args[1] == hardenedArgument || os.Args[1] == limitedArgument) {
		hardenAndTell(os.Args[1] == limitedArgument)
		os.Exit(0)
	}
	testscript.Main(m, map[string]func(){"suar": main})
}

// TestScripts plays the command as people call it.
func TestScripts(t *testing.T) {
	d := newDeployment(t)
	d.begin(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"hotline": d.lay,
		},
	})
}

// exits runs a program and wants an exit code: exits 2 suar check nowhere.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGUMENTS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	exit := new(exec.ExitError)
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// lay puts a copy of the deployment, whose store has an open case and a reply
// that waits, into the script's folder: hotline.
func (d *deployment) lay(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: hotline")
	}
	ts.Check(filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(d.root, path)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil || e.IsDir() {
			return errors.Join(err, os.MkdirAll(ts.MkAbs(name), 0o700))
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// What is named in the configuration is in the script's folder.
		raw = bytes.ReplaceAll(raw, []byte(d.root+string(filepath.Separator)), nil)
		if err := os.WriteFile(ts.MkAbs(name), raw, 0o600); err != nil {
			return err
		}
		return os.Chmod(ts.MkAbs(name), info.Mode().Perm())
	}))
}
