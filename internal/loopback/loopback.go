// Package loopback finds addresses for the servers that tests start.
package loopback

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// FreeAddress returns an address of this machine, "127.0.0.1:20123", at which
// nobody listens, and which no later call returns in any process while this one
// lives: tests run beside each other, and a server that is killed must find its
// address free when it starts again. Its port is below those that the system
// gives to outgoing connections.
func FreeAddress() (string, error) {
	for range 1000 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.N(12000)) //nolint:gosec // a port is no secret
		if taken.take(address) {
			return address, nil
		}
	}
	return "", errors.New("loopback: no free port")
}

// taken are the addresses that this process took. The marks live as long as the
// process, so that it has to be a variable of the package.
var taken marks //nolint:gochecknoglobals // see above

// marks are UDP sockets at the ports that were taken. No server of ours uses one,
// and the system lets go of them however the process ends.
type marks struct {
	mu  sync.Mutex
	all []net.PacketConn
}

// take takes an address that is free, and reports whether it was.
func (m *marks) take(address string) bool {
	mark, err := net.ListenPacket("udp", address) //nolint:noctx // it returns at once
	if err != nil {
		return false
	}
	// It asks and does not try to listen: a process that is being started at this
	// moment would have a copy of the listening socket, and hold the address for a
	// little longer than we.
	if there, err := net.Dial("tcp", address); err == nil { //nolint:noctx // it returns at once
		_, _ = there.Close(), mark.Close()
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, mark)
	return true
}
