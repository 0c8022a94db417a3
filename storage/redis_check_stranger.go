package storage

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
)

// welcomesStrangers tries to read a key over a connection that gives neither a
// password nor a certificate, and says whether the server lets it.
func (c RedisConfig) welcomesStrangers(ctx context.Context, address string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, c.DialTimeout+c.Timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if c.TLS != nil {
		anonymous := c.TLS.Clone()
		anonymous.Certificates, anonymous.GetClientCertificate = nil, nil
		if anonymous.ServerName == "" {
			anonymous.ServerName, _, _ = net.SplitHostPort(address)
		}
		conn = tls.Client(conn, anonymous)
	}
	key := "{" + c.Prefix + "}:store"
	_, err = fmt.Fprintf(conn, "*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len(key), key)
	reply := ""
	if err == nil {
		reply, err = bufio.NewReader(io.LimitReader(conn, 1024)).ReadString('\n')
	}
	if err != nil {
		// It hung up on a stranger: it asks for a certificate. One that says
		// nothing at all cannot be judged.
		return false, ctx.Err()
	}
	for _, refusal := range []string{"-NOAUTH", "-NOPERM", "-DENIED"} {
		if strings.HasPrefix(reply, refusal) {
			return false, nil
		}
	}
	return true, nil
}
