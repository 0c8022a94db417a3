package storage_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"suar/internal/redistest"
	"suar/storage"
)

// canary is what a server's answer quotes and no error of ours may.
const canary = "CANARY-of-a-person"

// TestRedisReplies gives every method every kind of answer: none panics, each
// tells of it, and no error has anything of the answer but its code.
func TestRedisReplies(t *testing.T) {
	for _, tt := range []struct {
		reply string
		code  string // of a RedisError; none if the answer is no error
		fits  string // the methods that such an answer is one to
	}{
		{reply: "-LOADING " + canary, code: "LOADING"},
		{reply: "-READONLY " + canary, code: "READONLY"},
		{reply: "-MOVED 1234 127.0.0.1:1", code: "MOVED"},
		{reply: "-ASK 1234 127.0.0.1:1", code: "ASK"},
		{reply: "-CLUSTERDOWN " + canary, code: "CLUSTERDOWN"},
		{reply: "-OOM " + canary, code: "OOM"},
		{reply: "-MISCONF " + canary, code: "MISCONF"},
		{reply: "-NOSCRIPT " + canary, code: "NOSCRIPT"},
		{reply: "-NOREPLICAS " + canary, code: "NOREPLICAS"},
		{reply: "-NOPERM key {suar}:c:" + canary, code: "NOPERM"},
		{reply: "-WRONGTYPE " + canary, code: "WRONGTYPE"},
		{reply: "-ERR user_script:7: " + canary, code: "ERR"},
		{reply: "-" + canary, code: ""},
		{reply: "-", code: ""},
		{reply: "$-1"},
		{reply: ":7", fits: "Sweep"},
		{reply: ":-1"},
		{reply: ":11"},
		{reply: "+" + canary},
		{reply: "$18\r\n" + canary},
		{reply: "*-1"},
		{reply: "*1\r\n$18\r\n" + canary, fits: "Due Resolve Transcripts"},
		{reply: "*1\r\n*1\r\n*0"},
		{reply: "*1\r\n$-1"},
		{reply: "*2\r\n:1\r\n$18\r\n" + canary},
		{reply: "*3\r\n$1\r\n0\r\n$18\r\n" + canary + "\r\n$18\r\n" + canary, fits: "Due Transcript Transcripts"},
		{reply: "*3\r\n-ERR " + canary + "\r\n$-1\r\n*0"},
		{reply: "*8\r\n$2\r\nOK\r\n" + strings.Repeat("$18\r\n"+canary+"\r\n", 6) + "$1\r\nx", fits: "Due Transcript Transcripts"},
		{reply: "*7\r\n$2\r\nOK\r\n" + strings.Repeat("$18\r\n"+canary+"\r\n", 5) + "$1\r\nx", fits: "Due Transcript Transcripts"},
		{reply: "HTTP/1.1 400 Bad Request"},
		{reply: "*999999999999999999999"},
		{reply: canary},
		{reply: "\x00\xff"},
		{reply: ""},
	} {
		t.Run(strings.ToValidUTF8(fmt.Sprintf("%.24q", tt.reply), ""), func(t *testing.T) {
			store := openFake(t, tt.reply)
			all := calls(store)
			all["Dump"] = func(ctx context.Context) error {
				return store.Dump(ctx, func(storage.Piece) error { return nil })
			}
			all["Fill"] = func(ctx context.Context) error {
				return store.Fill(ctx, func() (storage.Piece, error) { return storage.Piece{}, io.EOF })
			}
			for name, call := range all {
				err := call(t.Context())
				switch {
				case err == nil:
					if !slices.Contains(strings.Fields(tt.fits), name) {
						t.Errorf("%s took the answer for one", name)
					}
					continue
				case strings.Contains(err.Error(), canary) || strings.Contains(fmt.Sprintf("%+v", err), canary):
					t.Errorf("%s: the error quotes the answer: %v", name, err)
				}
				var answer *storage.RedisError
				if got := errors.As(err, &answer); got != strings.HasPrefix(tt.reply, "-") {
					t.Errorf("%s: got %v, want a server's error: %t", name, err, !got)
				} else if got && answer.Code != tt.code {
					t.Errorf("%s: got the code %q, want %q", name, answer.Code, tt.code)
				}
			}
		})
	}
}

// openFake opens a store on a server that answers as one does until it is open,
// and then always the same.
func openFake(t *testing.T, reply string) *storage.Redis {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var open atomic.Bool
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(conn, &open, reply)
		}
	}()
	client := redis.NewClient(&redis.Options{
		Addr: listener.Addr().String(), Protocol: 2, MaxRetries: -1, DisableIdentity: true,
		ReadTimeout: time.Minute, ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { _ = client.Close() })
	store, err := storage.NewRedis(t.Context(), client, storage.RedisOptions{})
	if err != nil {
		t.Fatal(err)
	}
	open.Store(true)
	return store
}

// answer answers each command on the connection. It hangs up after what is no
// answer, since nobody could tell where it ends.
func answer(conn net.Conn, open *atomic.Bool, reply string) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		name, err := command(in)
		switch {
		case err != nil:
			return
		case strings.EqualFold(name, "hello"), strings.EqualFold(name, "client"):
			_, err = io.WriteString(conn, "-ERR unknown command\r\n")
		case !open.Load():
			_, err = io.WriteString(conn, "$46\r\nsuar1 "+strings.Repeat("0", 40)+"\r\n")
		default:
			_, err = io.WriteString(conn, reply+"\r\n")
			if reply == "" || !strings.Contains("-+:$*", reply[:1]) {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// command reads a command and returns its name.
func command(in *bufio.Reader) (name string, err error) {
	number := func() int {
		line, lineErr := in.ReadString('\n')
		if lineErr != nil || len(line) < 3 {
			err = errors.Join(lineErr, io.ErrUnexpectedEOF)
			return 0
		}
		n, atoiErr := strconv.Atoi(strings.TrimSpace(line[1:]))
		err = errors.Join(err, atoiErr)
		return n
	}
	for i := range number() {
		word := make([]byte, number()+2)
		if err != nil {
			return "", err
		}
		if _, err = io.ReadFull(in, word); err != nil {
			return "", err
		}
		if i == 0 {
			name = string(word[:len(word)-2])
		}
	}
	return name, err
}

// TestRedisForgetsScripts is about a server that was restarted or failed over.
func TestRedisForgetsScripts(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	store := openRedis(t, to(server))
	for i, event := range []string{"tg:1", "tg:2"} {
		server.Do("SCRIPT", "FLUSH")
		c := everything(event)
		c.Version = uint64(i)
		if err := store.Commit(t.Context(), c); err != nil {
			t.Errorf("commit: %v", err)
		}
	}
}

// TestRedisOutOfMemory fills the memory: what is refused leaves nothing, reading
// goes on, and so does writing when there is room again.
func TestRedisOutOfMemory(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	store := openRedis(t, to(server))
	if err := store.Commit(t.Context(), everything("tg:1")); err != nil {
		t.Fatal(err)
	}
	next := everything("tg:2")
	next.Version = 1
	before := server.Do("DBSIZE")
	server.Do("CONFIG", "SET", "maxmemory", "1")
	var answer *storage.RedisError
	for name, err := range map[string]error{
		"commit": store.Commit(t.Context(), next),
		"fill":   store.Fill(t.Context(), func() (storage.Piece, error) { return storage.Piece{}, io.EOF }),
	} {
		if !errors.As(err, &answer) || answer.Code != "OOM" {
			t.Errorf("%s: got %v, want OOM", name, err)
		}
	}
	if r, err := store.Load(t.Context(), next.ID); err != nil || r.Version != 1 {
		t.Errorf("loaded version %d, %v", r.Version, err)
	}
	if after := server.Do("DBSIZE"); after != before {
		t.Errorf("there were %v keys, now there are %v", before, after)
	}
	server.Do("CONFIG", "SET", "maxmemory", "0")
	if err := store.Commit(t.Context(), next); err != nil {
		t.Errorf("commit with room again: %v", err)
	}
}

// TestRedisOddPrefix is about prefixes that would take the keys apart.
func TestRedisOddPrefix(t *testing.T) {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer client.Close()
	for _, prefix := range []string{"{", "a}b", strings.Repeat("x", 65)} {
		if _, err := storage.NewRedis(t.Context(), client, storage.RedisOptions{Prefix: prefix}); err == nil || !strings.Contains(err.Error(), "prefix") {
			t.Errorf("the prefix %q: %v", prefix, err)
		}
	}
}
