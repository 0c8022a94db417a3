package redistest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Do sends one command as the default user over a connection of its own and
// returns the reply: a string, an int64, nil, or a []any of them.
func (s *Server) Do(args ...string) any {
	s.t.Helper()
	v, err := s.try(args...)
	if err != nil {
		s.t.Fatalf("%s: %v", args[0], err)
	}
	return v
}

// As sends one command as another user, and returns the error that Redis
// answers with.
func (s *Server) As(user, password string, args ...string) (any, error) {
	return s.exchange([][]string{{"AUTH", user, password}, args})
}

// try is Do with an error.
func (s *Server) try(args ...string) (any, error) {
	if s.Password == "" {
		return s.exchange([][]string{args})
	}
	return s.exchange([][]string{{"AUTH", s.Password}, args})
}

// exchange sends commands one after the other and returns the last reply.
func (s *Server) exchange(commands [][]string) (reply any, err error) {
	c, err := net.DialTimeout("tcp", s.Addr, patience) //nolint:noctx // It has a limit.
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if s.authority != nil {
		c = tls.Client(c, s.authority.client)
	}
	// A frozen server is not waited for as long as one that starts.
	if err := c.SetDeadline(time.Now().Add(patience / 4)); err != nil {
		return nil, err
	}
	r := bufio.NewReader(c)
	for _, args := range commands {
		var b strings.Builder
		fmt.Fprintf(&b, "*%d\r\n", len(args))
		for _, a := range args {
			fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
		}
		if _, err := io.WriteString(c, b.String()); err != nil {
			return nil, err
		}
		if reply, err = read(r); err != nil {
			return nil, err
		}
	}
	return reply, nil
}

// read reads one reply.
func read(r *bufio.Reader) (any, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	line = strings.TrimSuffix(line, "\r\n")
	if line == "" {
		return nil, errors.New("an empty reply")
	}
	kind, rest := line[0], line[1:]
	if kind == '+' {
		return rest, nil
	}
	if kind == '-' {
		return nil, errors.New(rest)
	}
	n, err := strconv.ParseInt(rest, 10, 64)
	switch {
	case err != nil:
		return nil, fmt.Errorf("an unknown reply %q", line)
	case kind == ':':
		return n, nil
	case n < 0:
		return nil, nil //nolint:nilnil // What Redis calls nil.
	case kind == '$':
		b := make([]byte, n+2)
		_, err := io.ReadFull(r, b)
		return string(b[:n]), err
	case kind == '*':
		list := make([]any, n)
		for i := range list {
			if list[i], err = read(r); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	return nil, fmt.Errorf("an unknown reply %q", line)
}

// info is a field of INFO, empty if there is none.
func (s *Server) info(section, field string) string {
	v, err := s.try("INFO", section)
	if err != nil {
		return ""
	}
	text, _ := v.(string)
	for line := range strings.SplitSeq(text, "\r\n") {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return value
		}
	}
	return ""
}
