package storage

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// maxMoves is how often a call follows the slot to another node.
const maxMoves = 3

// confirm runs a script and, behind it on the same connection, WAIT, which
// waits until the replicas have the connection's last write and with it all the
// server's writes before it. It is what tells whether they have: min-replicas-
// to-write only looks at who was there a moment ago. What the replicas have
// survives the master, if the one that takes over is one of them. With
// ErrUnconfirmed comes what the script answered.
func (r *redisServer) confirm(ctx context.Context, s *redisScript, whole bool, args []any) (any, error) {
	for moves := 0; ; moves++ {
		node, err := r.master(ctx, moves > 0)
		if err != nil {
			return nil, err
		}
		reply, err := r.confirmOn(ctx, node, s, whole, args)
		if moves < maxMoves && redis.HasErrorPrefix(err, "MOVED") {
			continue
		}
		return reply, err
	}
}

func (r *redisServer) confirmOn(ctx context.Context, node *redis.Client, s *redisScript, whole bool, args []any) (any, error) {
	c := r.command(ctx, s, whole, args)
	wait := redisOnce{redis.NewCmd(ctx, "wait", r.replicas, r.replicaTimeout.Milliseconds())}
	if s.wrote == nil {
		pipe := node.Pipeline()
		_ = pipe.Process(ctx, c)
		_ = pipe.Process(ctx, wait)
		// The error is also in the commands.
		_, _ = pipe.Exec(ctx)
	} else {
		conn := node.Conn()
		defer conn.Close()
		if err := conn.Process(ctx, c); err == nil && s.wrote(c.Val()) {
			_ = conn.Process(ctx, wait)
		}
	}
	reply, err := c.Result()
	if err != nil {
		return nil, err
	}
	if s.wrote != nil && !s.wrote(reply) {
		return reply, nil
	}
	n, err := wait.Int()
	if err != nil {
		return reply, fmt.Errorf("%w (%w)", ErrUnconfirmed, redisFailure(err))
	}
	if n < r.replicas {
		return reply, fmt.Errorf("%w (%d of %d)", ErrUnconfirmed, n, r.replicas)
	}
	return reply, nil
}

// master is a client of the server that has the store's slot.
func (r *redisServer) master(ctx context.Context, moved bool) (*redis.Client, error) {
	switch client := r.client.(type) {
	case *redis.Client:
		return client, nil
	case *redis.ClusterClient:
		if moved {
			// This asks the Cluster who has what.
			if err := client.ForEachMaster(ctx, func(context.Context, *redis.Client) error { return nil }); err != nil {
				return nil, err
			}
		}
		return client.MasterForKey(ctx, r.base+"store")
	default:
		return nil, fmt.Errorf("storage: a %T does not wait for replicas", client)
	}
}
