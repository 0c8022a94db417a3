// Package loopback finds addresses for the servers that tests start.
package loopback

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// FreeAddress returns an address of this machine, "127.0.0.1:20123", at which
// nobody listens. Its port is below those that the system gives to outgoing
// connections, so that a server that is killed finds it free when it starts
// again.
func FreeAddress() (string, error) {
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+rand.N(12000)) //nolint:gosec // a port is no secret
		l, err := net.Listen("tcp", address)                        //nolint:noctx // it returns at once
		if err == nil {
			return address, l.Close()
		}
	}
	return "", errors.New("loopback: no free port")
}
