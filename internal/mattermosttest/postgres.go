package mattermosttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// A cluster is a PostgreSQL in a temporary folder and the process groups that
// work on it. A guard, a small shell that outlives the test process by a
// moment, ends them all and removes the folder, however the process ends: a
// test that times out runs no cleanup.
type cluster struct {
	dir string
	bin string
	env []string
	// cred is who PostgreSQL runs as when we are root, which it refuses to run
	// as; otherwise nil.
	cred *syscall.Credential

	template prepared
	server   string // the folder with the server's binary

	mu     sync.Mutex
	worlds int
	// guard is held open for as long as this process lives.
	guard io.WriteCloser
}

// guardScript waits for the end of its input, which is the end of the test
// process. A file in groups is a process group to end.
const guardScript = `
cat >/dev/null
for group in "$1"/groups/*; do
	kill -KILL "-${group##*/}" 2>/dev/null # dash takes no --
done
pid=$(head -n 1 "$1/pg/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
for i in 1 2 3 4 5 6 7 8 9 10; do
	[ -e "$1/pg/data/postmaster.pid" ] || break
	sleep 0.2
done
rm -rf "$1"
`

// newCluster initialises and starts a PostgreSQL from the binaries in bin.
func newCluster(bin string) (_ *cluster, err error) {
	c := &cluster{bin: bin, env: []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/", "LC_ALL=C", "TZ=UTC", "PGUSER=postgres",
	}}
	if os.Geteuid() == 0 {
		if c.cred, err = unprivileged(); err != nil {
			return nil, err
		}
	}
	// The path of a Unix socket is short, so a long TMPDIR will not do.
	base := os.TempDir()
	if len(base) > 60 {
		base = "/tmp"
	}
	if c.dir, err = os.MkdirTemp(base, "suar-mm-"); err != nil {
		return nil, err
	}
	guard := exec.Command("/bin/sh", "-c", guardScript, "guard", c.dir)
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.guard, err = guard.StdinPipe(); err != nil {
		return nil, err
	}
	if err = guard.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(c.dir))
	}

	pg := filepath.Join(c.dir, "pg")
	for _, d := range []string{pg, filepath.Join(c.dir, "groups"), filepath.Join(c.dir, "worlds")} {
		if err = os.Mkdir(d, 0o755); err != nil {
			return nil, err
		}
	}
	if err = os.Chmod(c.dir, 0o755); err != nil {
		return nil, err
	}
	if c.cred != nil {
		if err = os.Chown(pg, int(c.cred.Uid), int(c.cred.Gid)); err != nil {
			return nil, err
		}
	}
	c.env = append(c.env, "PGHOST="+pg)
	data := filepath.Join(pg, "data")
	if _, err = c.run(context.Background(), "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return nil, err
	}
	// Durability is PostgreSQL's own business and is not what is tested here.
	postgres := c.command(context.Background(), "postgres", "-D", data,
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+pg,
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
		"-c", "max_connections=1000", "-c", "shared_buffers=64MB", "-c", "autovacuum=off")
	postgres.SysProcAttr.Setpgid = true
	log, err := os.Create(filepath.Join(c.dir, "postgres.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	postgres.Stdout, postgres.Stderr = log, log
	if err = postgres.Start(); err != nil {
		return nil, err
	}
	for deadline := time.Now().Add(patience); ; {
		if _, err = c.run(context.Background(), "pg_isready", "-q"); err == nil {
			return c, nil
		}
		if time.Now().After(deadline) {
			out, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("postgres did not start: %w\n%s", err, tail(out))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// copyTemplate makes a database from another one, to which nobody may be
// connected.
func (c *cluster) copyTemplate(name, template string) error {
	for deadline := time.Now().Add(patience); ; {
		_, err := c.run(context.Background(), "createdb", "-T", template, name)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		// The connections of a server that was just killed go within moments.
		time.Sleep(20 * time.Millisecond)
	}
}

// source is the database's address for the server.
func (c *cluster) source(name string) string {
	return "postgres://postgres@/" + name + "?host=" + filepath.Join(c.dir, "pg") + "&sslmode=disable"
}

// run runs one of PostgreSQL's programs and returns its output.
func (c *cluster) run(ctx context.Context, program string, args ...string) ([]byte, error) {
	cmd := c.command(ctx, program, args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", program, err, tail(complaint.Bytes()))
	}
	return out.Bytes(), nil
}

func (c *cluster) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, program), args...)
	cmd.Dir = "/"
	cmd.Env = c.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.cred}
	return cmd
}

// register tells the guard of a process group, unregister that it has ended.
func (c *cluster) register(group int) error {
	return os.WriteFile(filepath.Join(c.dir, "groups", strconv.Itoa(group)), nil, 0o600)
}

func (c *cluster) unregister(group int) error {
	return os.Remove(filepath.Join(c.dir, "groups", strconv.Itoa(group)))
}

// newWorldDir makes the folder of one server, and a name for its database.
func (c *cluster) newWorldDir() (dir, name string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.worlds++
	name = "world" + strconv.Itoa(c.worlds)
	dir = filepath.Join(c.dir, "worlds", strconv.Itoa(c.worlds))
	return dir, name, os.Mkdir(dir, 0o755)
}

// findPostgres returns the folder of PostgreSQL's programs, empty if there is
// none. Debian keeps them off the PATH, the newest version last.
func findPostgres() string {
	if p, err := exec.LookPath("initdb"); err == nil {
		// A link to it may stand alone; its companions are beside the target.
		if p, err = filepath.EvalSymlinks(p); err == nil {
			return filepath.Dir(p)
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return bytes.Compare([]byte(a), []byte(b))
	}))
}

// unprivileged is a user other than root to run PostgreSQL as.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("root cannot run PostgreSQL, and there is no user postgres or nobody")
}

// tail is the end of a program's complaint.
func tail(out []byte) []byte {
	return out[max(0, len(out)-2000):]
}
