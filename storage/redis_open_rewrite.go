package storage

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Compact asks every server to rewrite its append-only file, so that what was
// erased leaves the disk too. The rewriting goes on after it returned. A user
// who may not ask for it leaves it to whoever runs the Redis: that is no error.
func (r *Redis) Compact(ctx context.Context) error {
	rewrite := func(ctx context.Context, node *redis.Client) error {
		err := node.BgRewriteAOF(ctx).Err()
		if err == nil || redis.HasErrorPrefix(err, "NOPERM") || strings.Contains(err.Error(), "in progress") {
			return nil
		}
		return err
	}
	var err error
	switch client := r.client.(type) {
	case *redis.ClusterClient:
		err = client.ForEachShard(ctx, rewrite)
	case *redis.Client:
		err = rewrite(ctx, client)
	}
	if err != nil {
		return fmt.Errorf("storage: rewrite the append-only file: %w", err)
	}
	return nil
}
