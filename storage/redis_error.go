package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

var (
	// ErrLost says that what answers is not the store that was opened: it was
	// emptied, restored from something else, or a server without the data took
	// over. Nothing was read or written. The operator brings the data back and
	// starts again; who would go on meanwhile would take everybody for new.
	ErrLost = errors.New("storage: this Redis does not have the store that was opened: bring its data back, then start again")
	// ErrNone says that nothing is kept where a store should be: the address or
	// the prefix is another one's, or the data is gone. Nothing was begun.
	ErrNone = errors.New("storage: no store is there")
	// ErrUnnamed says, when a store is opened, that there are a store's keys but
	// not the one that says which store they are. Nothing was begun.
	ErrUnnamed = errors.New("storage: there are keys under the prefix but no store's name: it was moved away from here (then use the new one), or part of it is lost (bring all of it back)")
	// ErrDenied says that Redis does not let the user in, or not do what Suar
	// needs. It stays so until somebody changes the settings or the ACL.
	ErrDenied = errors.New("storage: Redis refuses the user")
	// ErrNoAnswer says that Redis was not reached, or did not answer in time.
	// What was asked may be done or not: the caller repeats it.
	ErrNoAnswer = errors.New("storage: no answer from Redis")
	// ErrUnconfirmed says that a write is on the master and not known to be on
	// as many replicas as were asked for. It may or may not be kept: the caller
	// repeats it, and the operator looks at the replicas.
	ErrUnconfirmed = errors.New("storage: too few replicas confirmed the write: look at the replicas; it is repeated")
)

// A RedisError is an error that a Redis server answered. What was asked was not
// done, and it is worth repeating. It never quotes what the server said beyond
// the code, because that may quote a key.
type RedisError struct {
	// Code is the server's: "LOADING", "OOM", …; empty if it gave none.
	Code string
}

// Error names the code and says who can do what about it.
func (e *RedisError) Error() string {
	if e.Code == "" {
		return "storage: Redis answered an error without a code"
	}
	return "storage: Redis answered " + e.Code + ": " + e.Advice()
}

// Is reports that the code is of those that mean ErrDenied.
func (e *RedisError) Is(target error) bool {
	return target == ErrDenied && slices.Contains([]string{"NOAUTH", "WRONGPASS", "NOPERM"}, e.Code)
}

// Advice says who can do what about it, in words that quote nothing.
func (e *RedisError) Advice() string { return redisAdvice(e.Code) }

func redisAdvice(code string) string {
	switch code {
	case "LOADING":
		return "it is still reading its data; it goes on by itself when that is done"
	case "READONLY", "MASTERDOWN":
		return "it is a replica; it goes on when the new master is found, or check the addresses"
	case "MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "CROSSSLOT":
		return "the Cluster is moving its data or lacks nodes; it goes on when they are back, or set the cluster mode"
	case "OOM":
		return "its memory is full: raise its maxmemory"
	case "MISCONF":
		return "it cannot write to its disk: free space or mend the disk"
	case "NOREPLICAS":
		return "fewer replicas than its min-replicas-to-write are connected: bring them back"
	case "NOSCRIPT":
		return "it does not keep the scripts it is given: allow them"
	case "BUSY":
		return "somebody's script does not end: kill that one"
	case "NOAUTH", "WRONGPASS":
		return "check the user and the password"
	case "NOPERM":
		return "the user may not do what Suar needs: check its ACL"
	case "WRONGTYPE":
		return "another program writes under the same prefix: give Suar one of its own"
	}
	return "see what Redis says of it"
}

var redisCode = regexp.MustCompile(`^[A-Z]{2,}$`)

// redisFailure makes an error of the library one of ours, which has nothing in
// it of what is kept.
func redisFailure(err error) error {
	var answered redis.Error
	var network net.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrUnsafe), errors.Is(err, ErrLost), errors.Is(err, ErrUnconfirmed):
		return err
	case errors.Is(err, redis.ErrClosed):
		return errClosed
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, redis.ErrPoolTimeout), errors.Is(err, redis.ErrPoolExhausted),
		errors.As(err, &network):
		return fmt.Errorf("%w: %w", ErrNoAnswer, err)
	case errors.As(err, &answered) && !errors.Is(err, redis.Nil):
		code, _, _ := strings.Cut(answered.Error(), " ")
		switch {
		case code == "SUARLOST":
			return ErrLost
		case code == "SUARUNNAMED":
			return ErrUnnamed
		case code == "SUARNONE":
			return ErrNone
		case redisCode.MatchString(code):
			return &RedisError{Code: code}
		}
		return &RedisError{}
	default:
		return fmt.Errorf("%w (%T)", errRedisReply, err)
	}
}

// errRedisReply says that an answer makes no sense.
var errRedisReply = errors.New("storage: Redis answered what a Redis does not: is it one, of version 7 or newer?")
