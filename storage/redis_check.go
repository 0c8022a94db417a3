package storage

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// oldestRedis is the first version with the scripts' and the ACL's features
// that the store uses.
const oldestRedis = 7

// A nodeReport is what one server says about itself.
type nodeReport struct {
	// faults are what makes it unsafe.
	faults []error
	// run names the process that answered.
	run      string
	port     string
	replica  bool
	sentinel bool
}

// inspect looks at the server behind the connection. The error says that it
// could not be looked at.
func (c RedisConfig) inspect(ctx context.Context, node redis.Cmdable) (nodeReport, error) {
	var info *redis.StringCmd
	var fsync, replicas *redis.MapStringStringCmd
	_, err := node.Pipelined(ctx, func(p redis.Pipeliner) error {
		info = p.Info(ctx)
		fsync = p.ConfigGet(ctx, "appendfsync")
		replicas = p.ConfigGet(ctx, "min-replicas-*")
		return nil
	})
	// The settings may be forbidden to the user: that is found out below.
	if info.Err() != nil {
		return nodeReport{}, c.advise(info.Err())
	}
	about := parseInfo(info.Val())
	if len(about) == 0 {
		// A connection that is not let in fails before the first command.
		return nodeReport{}, c.advise(errors.Join(err, errors.New("it does not answer INFO")))
	}
	report := nodeReport{
		run: about["run_id"], port: about["tcp_port"],
		replica: about["role"] == "slave", sentinel: about["redis_mode"] == "sentinel",
	}
	if report.sentinel {
		return report, nil
	}
	if about["loading"] == "1" {
		return nodeReport{}, errors.New("it is still reading its data: try again in a moment")
	}
	fault := func(format string, args ...any) {
		report.faults = append(report.faults, fmt.Errorf(format, args...))
	}
	version := about["redis_version"]
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < oldestRedis {
		fault("its version is %q: use Redis %d.0 or newer", version, oldestRedis)
	}
	if about["aof_enabled"] != "1" {
		fault("appendonly is off, so that it forgets when it restarts: set appendonly yes")
	}
	if policy := about["maxmemory_policy"]; policy != "noeviction" {
		fault("maxmemory-policy is %q, which drops conversations when memory is short: set maxmemory-policy noeviction", policy)
	}
	switch policy, err := setting(fsync, "appendfsync"); {
	case err != nil:
		report.faults = append(report.faults, err)
	case policy == "everysec" && !c.Everysec:
		fault("appendfsync is everysec, so that a crash loses the last second of what was confirmed: " +
			"set appendfsync always, or accept the loss in Suar's settings (may_lose_a_second)")
	case policy != "always" && policy != "everysec":
		fault("appendfsync is %q, so that a crash loses what was confirmed: set appendfsync always", policy)
	}
	if c.Replicas > 0 {
		report.faults = append(report.faults, c.checkReplicas(replicas)...)
	}
	return report, nil
}

// checkReplicas holds the server's own demand against the store's: a master
// that accepts writes without replicas goes on alone when it is cut off, and
// what it accepted is gone when it comes back.
func (c RedisConfig) checkReplicas(got *redis.MapStringStringCmd) []error {
	write, err := setting(got, "min-replicas-to-write")
	if err != nil {
		return []error{err}
	}
	var faults []error
	if n, err := strconv.Atoi(write); err != nil || n < c.Replicas {
		faults = append(faults, fmt.Errorf("min-replicas-to-write is %q and Suar's settings ask for %d replicas: set min-replicas-to-write %d",
			write, c.Replicas, c.Replicas))
	}
	if lag, err := setting(got, "min-replicas-max-lag"); err != nil || lag == "0" {
		faults = append(faults, fmt.Errorf("min-replicas-max-lag is %q, which switches min-replicas-to-write off: set min-replicas-max-lag 10", lag))
	}
	return faults
}

// setting reads one of the server's settings.
func setting(got *redis.MapStringStringCmd, name string) (string, error) {
	values, err := got.Result()
	if err == nil {
		if v, ok := values[name]; ok {
			return v, nil
		}
		err = errors.New("the server does not name it")
	}
	return "", fmt.Errorf("%s cannot be read, so nobody knows what a crash loses: allow the user +config|get (%w)", name, err)
}

// parseInfo reads what INFO answers.
func parseInfo(text string) map[string]string {
	fields := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// advise says what to do about an answer that keeps the store from opening.
func (c RedisConfig) advise(err error) error {
	switch {
	case redis.HasErrorPrefix(err, "NOAUTH"):
		return fmt.Errorf("%w: it asks for a password: set one in Suar's settings (%w)", ErrDenied, err)
	case redis.HasErrorPrefix(err, "WRONGPASS"):
		return fmt.Errorf("%w: it does not know this user with this password: check both (%w)", ErrDenied, err)
	case redis.HasErrorPrefix(err, "NOPERM"):
		return fmt.Errorf("%w: the user lacks a permission: its ACL must allow the commands of docs/redis.md on the keys ~{%s}:* (%w)", ErrDenied, c.Prefix, err)
	case redis.HasErrorPrefix(err, "LOADING"):
		return fmt.Errorf("it is still reading its data: try again in a moment (%w)", err)
	default:
		return err
	}
}
