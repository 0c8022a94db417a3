package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"suar/storage"
)

func newStoreBeginCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "begin",
		Short: "Begin an empty store in a Redis, once",
		Long: `begin makes an empty store in the Redis of the configuration, before the first
suar serve of a new hotline. suar serve never does: a Redis that lost its data, or
a wrong address, would look like a new hotline, and everybody like a stranger.

It is not needed before suar store copy or suar restore, nor for the embedded
store, which suar serve begins.`,
		Example: `  suar store begin --config /etc/suar/suar.yaml`,
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return beginRedis(c.Context(), file, os.LookupEnv, c.OutOrStdout())
		},
	}
	addConfigFlag(c, &file)
	return c
}

func beginRedis(ctx context.Context, file string, env lookup, out io.Writer) (err error) {
	conf, err := loadStoreConfig(file, env)
	if err != nil {
		return refuse(err)
	}
	if conf.Redis == nil {
		return refuse(errors.New("the embedded store needs no beginning: suar serve begins it"))
	}
	store, err := openStore(ctx, conf, nil)
	if err == nil {
		return refuse(errors.Join(fmt.Errorf("there is a store in this Redis already, under the prefix %q; nothing was changed", conf.Redis.prefix()), store.Close()))
	}
	if !errors.Is(err, storage.ErrNone) {
		return refuseUnusable(err)
	}
	if store, err = beginStore(ctx, conf); err != nil {
		return refuseUnusable(err)
	}
	fmt.Fprintf(out, "An empty store was begun, under the prefix %q.\n", conf.Redis.prefix())
	return store.Close()
}
