package redistest

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// guarded is the folder of all servers of a test process. A guard, a small
// shell that outlives the process by a moment, ends the servers and removes the
// folder, however the process ends: a test that times out runs no cleanup.
type guarded struct {
	dir string
	// guard is held open for as long as this process lives.
	guard io.WriteCloser
}

// guardScript waits for the end of its input, which is the end of the test
// process. A file in pids names a process to end.
const guardScript = `
cat >/dev/null
for pid in "$1"/pids/*; do
	kill -KILL "${pid##*/}" 2>/dev/null
done
rm -rf "$1"
`

func newHome() (*guarded, error) {
	dir, err := os.MkdirTemp("", "suar-redis-")
	if err != nil {
		return nil, err
	}
	guard := exec.Command("/bin/sh", "-c", guardScript, "guard", dir) //nolint:gosec,noctx // A constant script, which outlives us.
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	input, err := guard.StdinPipe()
	if err == nil {
		err = guard.Start()
	}
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "pids"), 0o700)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &guarded{dir: dir, guard: input}, nil
}

// register tells the guard of a process, unregister that it has ended.
func (g *guarded) register(pid int) error {
	return os.WriteFile(filepath.Join(g.dir, "pids", strconv.Itoa(pid)), nil, 0o600)
}

func (g *guarded) unregister(pid int) error {
	return os.Remove(filepath.Join(g.dir, "pids", strconv.Itoa(pid)))
}
