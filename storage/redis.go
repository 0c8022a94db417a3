package storage

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis is the Store that many processes share: see OpenRedis. Each method is
// one script, and so one round trip.
type Redis struct {
	redisServer

	closing  sync.Once
	closeErr error
}

// A redisServer is where a store is, and which one it is.
type redisServer struct {
	client   redis.UniversalClient
	scripts  *redisScripts
	base     string
	identity string

	replicas       int
	replicaTimeout time.Duration
}

var _ Store = (*Redis)(nil)

// RedisOptions are what a store in Redis is told apart from how to reach it.
type RedisOptions struct {
	// Prefix begins the name of every key; "suar" if it is empty. It has no
	// braces.
	Prefix string
	// Replicas is how many replicas must have a write before it counts: see
	// ErrUnconfirmed. 0 for none.
	Replicas int
	// ReplicaTimeout is how long to wait for them, a millisecond at least. The
	// client's ReadTimeout must be longer.
	ReplicaTimeout time.Duration
	// Existing refuses to begin a store: ErrNone if there is none.
	Existing bool
}

var redisIdentity = regexp.MustCompile(`^` + redisFormat + ` [0-9a-f]{40}$`)

// NewRedis opens the store that a client reaches, and begins one if there is
// none, unless it must exist. It closes the client with the store, not when it fails. It does not
// look whether the server keeps what it is given: OpenRedis does.
//
// It returns ErrFormat if the store was written by a newer version or a copy
// into it was broken off, and changes nothing then.
func NewRedis(ctx context.Context, client redis.UniversalClient, o RedisOptions) (*Redis, error) {
	if o.Prefix == "" {
		o.Prefix = "suar"
	}
	if len(o.Prefix) > MaxName || strings.ContainsAny(o.Prefix, "{}") {
		return nil, errRedisPrefix
	}
	r := &Redis{redisServer: redisServer{
		client: client, scripts: newRedisScripts(), base: "{" + o.Prefix + "}:", identity: redisFormat,
		replicas: o.Replicas, replicaTimeout: max(o.ReplicaTimeout, time.Millisecond),
	}}
	if o.Existing {
		r.identity = ""
	}
	reply, err := r.call(ctx, r.scripts.open)
	if err != nil {
		return nil, err
	}
	identity, ok := reply.(string)
	if !ok {
		return nil, errRedisReply
	}
	switch format, _, _ := strings.Cut(identity, " "); {
	case redisIdentity.MatchString(identity):
		r.identity = identity
		return r, nil
	case strings.HasPrefix(identity, redisFilling):
		return nil, fmt.Errorf("%w: a copy into this Redis was broken off: delete the keys under the prefix and copy again", ErrFormat)
	default:
		return nil, fmt.Errorf("%w: what is in this Redis needs %.16q, this version knows %q", ErrFormat, format, redisFormat)
	}
}

// Close closes the connections. It may be called again.
func (r *Redis) Close() error {
	r.closing.Do(func() { r.closeErr = r.client.Close() })
	return r.closeErr
}

// read makes one call that reads, on the first key of the list with that name.
func (r *Redis) read(ctx context.Context, command, key string, args ...any) (any, error) {
	return r.call(ctx, r.scripts.read, append([]any{command, r.base + key}, args...)...)
}

// Load implements Store.
func (r *Redis) Load(ctx context.Context, id string) (Record, error) {
	reply, err := r.read(ctx, "HMGET", "c:"+id, "v", "s", "a")
	if err != nil {
		return Record{}, err
	}
	values, ok := reply.([]any)
	if !ok || len(values) != 3 {
		return Record{}, errRedisReply
	}
	if values[0] == nil {
		return Record{}, ErrNotFound
	}
	version, _ := values[0].(string)
	state, ok := values[1].(string)
	if !ok {
		return Record{}, errRedisLayout
	}
	alarm, _ := values[2].(string)
	return redisRecord(version, state, alarm)
}

func redisRecord(version, state, alarm string) (Record, error) {
	found := Record{State: []byte(state)}
	var err error
	if found.Version, err = strconv.ParseUint(version, 10, 64); err != nil || found.Version == 0 {
		return Record{}, errRedisLayout
	}
	if alarm != "" {
		found.Alarm, err = redisInstantOf(alarm)
	}
	return found, err
}

// Resolve implements Store.
func (r *Redis) Resolve(ctx context.Context, name string) (string, error) {
	reply, err := r.read(ctx, "HMGET", "names", name)
	if err != nil {
		return "", err
	}
	values, ok := reply.([]any)
	if !ok || len(values) != 1 {
		return "", errRedisReply
	}
	if values[0] == nil {
		return "", ErrNotFound
	}
	id, ok := values[0].(string)
	if !ok {
		return "", errRedisReply
	}
	return id, nil
}

// span returns up to n members of a sorted set, from min to max.
func (r *Redis) span(ctx context.Context, key, from, to string, n int) ([]string, error) {
	if n <= 0 {
		return nil, ctx.Err()
	}
	reply, err := r.read(ctx, "ZRANGEBYLEX", key, from, to, "LIMIT", 0, n)
	if err != nil {
		return nil, err
	}
	return redisTexts(reply)
}

// Due implements Store.
func (r *Redis) Due(ctx context.Context, now time.Time, n int) ([]string, error) {
	members, err := r.span(ctx, "alarms", "-", "("+redisAfter(now), n)
	if err != nil {
		return nil, err
	}
	for i, m := range members {
		if len(m) <= instantSize {
			return nil, errRedisLayout
		}
		members[i] = m[instantSize:]
	}
	return members, nil
}

// Transcript implements Store.
func (r *Redis) Transcript(ctx context.Context, name string) (Transcript, error) {
	reply, err := r.read(ctx, "LRANGE", "t:"+name, 0, -1)
	if err != nil {
		return Transcript{}, err
	}
	pages, err := redisTexts(reply)
	if err != nil {
		return Transcript{}, err
	}
	if len(pages) == 0 {
		return Transcript{}, ErrNotFound
	}
	return redisTranscript(pages)
}

func redisTranscript(pages []string) (Transcript, error) {
	if len(pages) < 2 || pages[0] == "" {
		return Transcript{}, errRedisLayout
	}
	var found Transcript
	if pages[0][0] == '1' {
		found.Header = []byte(pages[0][1:])
	}
	for _, entry := range pages[2:] {
		found.Entries = append(found.Entries, []byte(entry))
	}
	return found, nil
}

// Transcripts implements Store.
func (r *Redis) Transcripts(ctx context.Context, prefix string, n int) ([]string, error) {
	to := "+"
	if end, ok := redisPrefixEnd(prefix); ok {
		to = "(" + end
	}
	return r.span(ctx, "transcripts", "["+prefix, to, n)
}

// Forget implements Store. The append-only file has what was erased until it
// is rewritten: see Compact.
func (r *Redis) Forget(ctx context.Context, transcript string) error {
	return redisDone(r.call(ctx, r.scripts.forget, transcript, r.asksReplicas()))
}

// sweepAtOnce is how many events are dropped in one call: nobody else is
// answered meanwhile.
const sweepAtOnce = 500

// Sweep implements Store.
func (r *Redis) Sweep(ctx context.Context, before time.Time, n int) (int, error) {
	var dropped int
	for dropped < n {
		limit := min(n-dropped, sweepAtOnce)
		reply, err := r.call(ctx, r.scripts.sweep, redisInstantText(before), limit)
		if err != nil {
			return dropped, err
		}
		k, ok := reply.(int64)
		if !ok || k < 0 || k > int64(limit) {
			return dropped, errRedisReply
		}
		dropped += int(k)
		if int(k) < limit {
			break
		}
	}
	return dropped, ctx.Err()
}

// asksReplicas is the argument of scripts that confirm what was done before.
func (r *Redis) asksReplicas() string {
	if r.replicas > 0 {
		return "1"
	}
	return ""
}

// redisDone reads the answer of a script that answers with a word.
func redisDone(reply any, err error) error {
	if err != nil {
		return err
	}
	word, _ := reply.(string)
	switch word {
	case "OK":
		return nil
	case "DUPLICATE":
		return ErrDuplicate
	case "LOST":
		return ErrLeaseLost
	case "CONFLICT":
		return ErrConflict
	case "TAKEN":
		return ErrNameTaken
	case "HELD":
		return ErrHeld
	case "NOTEMPTY":
		return ErrNotEmpty
	}
	return errRedisReply
}

// redisTexts reads a list of strings.
func redisTexts(reply any) ([]string, error) {
	values, ok := reply.([]any)
	if !ok {
		return nil, errRedisReply
	}
	texts := make([]string, len(values))
	for i, v := range values {
		if texts[i], ok = v.(string); !ok {
			return nil, errRedisReply
		}
	}
	return texts, nil
}
