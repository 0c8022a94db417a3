package storage_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"suar/internal/redistest"
	"suar/storage"
)

// TestBadReplies opens a store on a Redis that begins to answer badly. Every
// method says so, nothing is lost, and once it is well again the same commit is
// kept once.
func TestBadReplies(t *testing.T) {
	for _, tt := range []struct {
		what string
		lie  lie
		// code is what the error has to name, if the server answers.
		code string
	}{
		{"loading", says("-LOADING Redis is loading the dataset in memory\r\n"), "LOADING"},
		{"a replica", says("-READONLY You can't write against a read only replica.\r\n"), "READONLY"},
		{"a replica without its master", says("-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n"), "MASTERDOWN"},
		{"moved, to itself, for ever", pointsToItself("MOVED"), "MOVED"},
		{"being moved, to itself, for ever", pointsToItself("ASK"), "ASK"},
		{"being moved", says("-TRYAGAIN Multiple keys request during rehashing of slot\r\n"), "TRYAGAIN"},
		{"a Cluster that is down", says("-CLUSTERDOWN The cluster is down\r\n"), "CLUSTERDOWN"},
		{"full", says("-OOM command not allowed when used memory > 'maxmemory'.\r\n"), "OOM"},
		{"forgetful of scripts", says("-NOSCRIPT No matching script. Please use EVAL.\r\n"), "NOSCRIPT"},
		{"its disk is full", says("-MISCONF Errors writing to the AOF file: No space left on device\r\n"), "MISCONF"},
		{"without replicas", says("-NOREPLICAS Not enough good replicas to write.\r\n"), "NOREPLICAS"},
		{"busy with a script", says("-BUSY Redis is busy running a script.\r\n"), "BUSY"},
		{"forbidding", says("-NOPERM this user has no permissions to access canary and canary-thread\r\n"), "NOPERM"},
		{"full of clients", says("-ERR max number of clients reached\r\n"), ""},
		{"an error of one letter", says("-E\r\n"), ""},
		{"an error without a word", says("-\r\n"), ""},
		{"garbage", says("\x00\xff\x13 canary\r\n"), ""},
		{"empty lines", says("\r\n\r\n"), ""},
		{"another protocol", says("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), ""},
		{"a number that is none", says(":seven\r\n"), ""},
		{"a length below zero", says("$-7\r\n"), ""},
		{"a status that it does not have", says("+canary\r\n"), ""},
		{"the wrong end of a text", says("$2\r\nabcdef\r\n"), ""},
		{"half a reply", func(*liar, []string) (string, fate) { return "*3\r\n$5\r\nab", hangsUp }, ""},
		{"no reply", func(*liar, []string) (string, fate) { return "", hangsUp }, ""},
	} {
		t.Run(tt.what, func(t *testing.T) {
			t.Run("single", func(t *testing.T) { badReply(t, tt.lie, tt.code, false) })
			t.Run("Cluster", func(t *testing.T) { badReply(t, tt.lie, tt.code, true) })
		})
	}
}

func badReply(t *testing.T, l lie, code string, cluster bool) {
	t.Parallel()
	x, r := behindLiar(t, cluster)
	first := everything("tg:1")
	for _, wide := range []bool{false, true} {
		// The narrow lie leaves new connections alone.
		x.set(func(x *liar, words []string) (string, fate) {
			if !wide && isHandshake(words) {
				return "", honest
			}
			return l(x, words)
		})
		all := calls(r)
		all["Commit"] = func(ctx context.Context) error { return r.Commit(ctx, first) }
		var group sync.WaitGroup
		for name, call := range all {
			group.Go(func() {
				tells(t, name, call(soon(t)), code, wide)
			})
		}
		group.Wait()
	}
	x.set(nil)
	keptOnce(t, r, first)
}

// tells wants an error that tells an operator what to do, and nothing of what
// is kept, and that is none of those that tell the engine something.
func tells(t *testing.T, name string, err error, code string, wide bool) {
	t.Helper()
	if err == nil {
		t.Errorf("%s succeeded", name)
		return
	}
	for _, decision := range []error{
		storage.ErrNotFound, storage.ErrConflict, storage.ErrDuplicate, storage.ErrLeaseLost,
		storage.ErrNameTaken, storage.ErrHeld, storage.ErrLost, storage.ErrUnnamed,
	} {
		if errors.Is(err, decision) {
			t.Errorf("%s: %v, which is no answer of this server", name, err)
		}
	}
	text := err.Error()
	if !strings.HasPrefix(text, "storage: ") || strings.Contains(text, "canary") {
		t.Errorf("%s: the error is %q", name, text)
	}
	var answered *storage.RedisError
	// A connection that is not made may fail in other words.
	if !wide && code != "" && (!errors.As(err, &answered) || answered.Code != code) {
		t.Errorf("%s: the error is %q, want one of %s", name, text, code)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%s took a minute: %v", name, err)
	}
}

// keptOnce repeats the commit, which may have been kept, and finds all of it
// once.
func keptOnce(t *testing.T, r *storage.Redis, c storage.Commit) {
	t.Helper()
	err := answered(soon(t), func(ctx context.Context) error { return r.Commit(ctx, c) })
	if err != nil && !errors.Is(err, storage.ErrDuplicate) {
		t.Fatalf("the commit repeated: %v", err)
	}
	if err := r.Commit(soon(t), c); !errors.Is(err, storage.ErrDuplicate) {
		t.Errorf("the commit once more: %v", err)
	}
	got, err := r.Load(soon(t), c.ID)
	if err != nil || got.Version != c.Version+1 || string(got.State) != string(c.State) {
		t.Errorf("loaded %+v, %v", got, err)
	}
	tape, err := r.Transcript(soon(t), c.Transcript)
	if err != nil || len(tape.Entries) != len(c.Entries) {
		t.Errorf("the transcript is %+v, %v", tape, err)
	}
	for _, lane := range []storage.Lane{storage.LaneCaller, storage.LaneOfficers} {
		if n, _, err := r.Waiting(soon(t), lane); n != 1 || err != nil {
			t.Errorf("%d items wait, %v", n, err)
		}
	}
}

// TestSilence lets a Redis hang: a method takes no longer than its context.
func TestSilence(t *testing.T) {
	for _, cluster := range []bool{false, true} {
		for _, wide := range []bool{false, true} {
			t.Run(fmt.Sprintf("cluster %v, from the first byte %v", cluster, wide), func(t *testing.T) {
				t.Parallel()
				x, r := behindLiar(t, cluster)
				x.set(func(_ *liar, words []string) (string, fate) {
					if !wide && isHandshake(words) {
						return "", honest
					}
					return "", silent
				})
				var group sync.WaitGroup
				for name, call := range calls(r) {
					group.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
						defer cancel()
						if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
							var network net.Error
							if !errors.As(err, &network) || !network.Timeout() {
								t.Errorf("%s: %v, want its context's end", name, err)
							}
						}
					})
				}
				group.Wait()
				x.set(nil)
				keptOnce(t, r, everything("tg:1"))
			})
		}
	}
}

// TestLostAnswers lets what was asked for happen, and the answer get lost.
func TestLostAnswers(t *testing.T) {
	for _, cluster := range []bool{false, true} {
		t.Run(fmt.Sprintf("cluster %v", cluster), func(t *testing.T) {
			x, r := behindLiar(t, cluster)
			x.set(func(_ *liar, words []string) (string, fate) {
				if isHandshake(words) {
					return "", honest
				}
				return "", deaf
			})
			first := everything("tg:1")
			// The script is sent in whole only after an answer.
			if err := r.Commit(soon(t), first); err == nil {
				t.Fatal("a commit without an answer succeeded")
			}
			x.set(nil)
			keptOnce(t, r, first)

			second := everything("tg:2")
			second.Version, second.Items, second.Transcript, second.Header, second.Entries = 1, nil, "", nil, nil
			x.set(func(_ *liar, words []string) (string, fate) {
				if isHandshake(words) {
					return "", honest
				}
				return "", deaf
			})
			if err := r.Commit(soon(t), second); err == nil {
				t.Fatal("a commit without an answer succeeded")
			}
			x.set(nil)
			err := answered(soon(t), func(ctx context.Context) error { return r.Commit(ctx, second) })
			if !errors.Is(err, storage.ErrDuplicate) {
				t.Errorf("repeated: %v, want a duplicate", err)
			}
			if got, err := r.Load(soon(t), "canary"); got.Version != 2 || err != nil {
				t.Errorf("loaded %+v, %v", got, err)
			}
		})
	}
}

// behindLiar opens a store behind a liar that is honest yet.
func behindLiar(t *testing.T, cluster bool) (*liar, *storage.Redis) {
	t.Helper()
	s := redistest.Shared(t)
	x := newLiar(t, s.Addr)
	return x, openRedis(t, storage.RedisConfig{
		Addresses: []string{x.addr}, Password: s.Password, Cluster: cluster, Prefix: newPrefix(),
	})
}

// isHandshake says whether the words are of a new connection, or of a client
// that asks who has what.
func isHandshake(words []string) bool {
	switch strings.ToUpper(words[0]) {
	case "HELLO", "AUTH", "CLUSTER", "COMMAND", "INFO", "CONFIG", "PING", "ASKING":
		return true
	}
	return false
}

// A lie is what a liar answers to a command, and what becomes of the command.
type lie func(x *liar, words []string) (string, fate)

// A fate is what becomes of a command.
type fate int

const (
	honest  fate = iota // the server answers it
	lies                // it gets the lie for an answer
	hangsUp             // it gets the lie, and the connection ends
	silent              // it gets no answer, and the connection stays
	deaf                // the server carries it out, and the connection ends
)

func says(text string) lie {
	return func(*liar, []string) (string, fate) { return text, lies }
}

func pointsToItself(word string) lie {
	return func(x *liar, _ []string) (string, fate) { return "-" + word + " 0 " + x.addr + "\r\n", lies }
}

// A liar is between the store and a server. It plays a Cluster of one to who
// asks for one.
type liar struct {
	addr, upstream string
	mu             sync.Mutex
	lie            lie
}

func newLiar(t *testing.T, upstream string) *liar {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &liar{addr: l.Addr().String(), upstream: upstream}
	var conns sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { x.serve(ctx, c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		cancel()
		conns.Wait()
	})
	return x
}

func (x *liar) set(l lie) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lie = l
}

func (x *liar) answer(words []string) (string, fate) {
	x.mu.Lock()
	l := x.lie
	x.mu.Unlock()
	if l != nil {
		if text, f := l(x, words); f != honest {
			return text, f
		}
	}
	if strings.EqualFold(words[0], "ASKING") {
		return "+OK\r\n", lies
	}
	if len(words) > 1 && strings.EqualFold(words[0], "CLUSTER") && strings.EqualFold(words[1], "SLOTS") {
		host, port, _ := net.SplitHostPort(x.addr)
		return fmt.Sprintf("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$%d\r\n%s\r\n:%s\r\n$40\r\n%040d\r\n", len(host), host, port, 1), lies
	}
	return "", honest
}

func (x *liar) serve(ctx context.Context, c net.Conn) {
	defer c.Close()
	up, err := net.Dial("tcp", x.upstream)
	if err != nil {
		return
	}
	defer up.Close()
	defer context.AfterFunc(ctx, func() { c.Close(); up.Close() })()
	client, server := bufio.NewReader(c), bufio.NewReader(up)
	for {
		var raw strings.Builder
		words, err := readRaw(client, &raw)
		if err != nil || len(words) == 0 {
			return
		}
		text, f := x.answer(words)
		if f == honest || f == deaf {
			var reply strings.Builder
			if _, err := io.WriteString(up, raw.String()); err != nil {
				return
			}
			if _, err := readRaw(server, &reply); err != nil {
				return
			}
			text = reply.String()
		}
		if f == deaf && !strings.HasPrefix(text, "-NOSCRIPT") {
			return
		}
		if f == silent {
			continue
		}
		if _, err := io.WriteString(c, text); err != nil || f == hangsUp {
			return
		}
	}
}

// readRaw reads one command or reply, and returns its texts.
func readRaw(r *bufio.Reader, raw *strings.Builder) ([]string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	raw.WriteString(line)
	n, _ := strconv.Atoi(strings.TrimSpace(line[1:]))
	switch line[0] {
	case '$', '=', '!':
		if n < 0 {
			return []string{""}, nil
		}
		b := make([]byte, n+2)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		raw.Write(b)
		return []string{string(b[:n])}, nil
	case '%':
		n *= 2
		fallthrough
	case '*', '~', '>':
		var words []string
		for range n {
			more, err := readRaw(r, raw)
			if err != nil {
				return nil, err
			}
			words = append(words, more...)
		}
		return words, nil
	}
	return []string{strings.TrimSpace(line[1:])}, nil
}
