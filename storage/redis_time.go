package storage

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// Time is what the clock of the server says that has the store. All processes
// that share it can set their own by it: on machines of their own they may
// differ.
func (r *Redis) Time(ctx context.Context) (time.Time, error) {
	server := redis.Cmdable(r.client)
	if cluster, ok := r.client.(*redis.ClusterClient); ok {
		node, err := cluster.MasterForKey(ctx, r.base+"store")
		if err != nil {
			return time.Time{}, redisFailure(err)
		}
		server = node
	}
	at, err := server.Time(ctx).Result()
	if err != nil {
		return time.Time{}, redisFailure(err)
	}
	return at.UTC(), nil
}
