package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"suar/internal/backup"
	"suar/storage"
)

func newStoreCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "store",
		Short: "Begin a store, or bring it to another place",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newStoreBeginCommand(), newStoreCopyCommand())
	return c
}

// A copying is what suar store copy was asked for.
type copying struct {
	from, to string
	env      lookup
	out      io.Writer
}

func newStoreCopyCommand() *cobra.Command {
	o := copying{env: os.LookupEnv}
	c := &cobra.Command{
		Use:   "copy --from STORE --to STORE",
		Short: "Copy the embedded store into a Redis, or back, and prove it",
		Long: `copy brings all that a store keeps into another one: from the embedded store into
a Redis, back, or from one to another of its kind. A STORE is the embedded
store's folder, or a configuration of suar serve (its name ends in .yaml), of which
only the store is looked at.

No suar serve may use the source; one that died keeps a Redis for 20 seconds. The
target must be new and empty. The source is only read. What was copied is read back
and compared, and the source once more.

Then change the configuration to the new store, start suar serve, and erase the
old store when you are sure of the new one: it keeps what people erase later.`,
		Example: `  suar store copy --from /var/lib/suar/store --to /etc/suar/suar-redis.yaml
  suar store copy --from /etc/suar/suar-redis.yaml --to /var/lib/suar/store`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			o.out = c.OutOrStdout()
			return o.run(c.Context())
		},
	}
	c.Flags().StringVar(&o.from, "from", "", "the `store` that has the conversations")
	c.Flags().StringVar(&o.to, "to", "", "the new `store`")
	return c
}

func (o *copying) run(ctx context.Context) (err error) {
	if o.from == "" || o.to == "" {
		return refuse(errors.New("want both stores, the old one with --from and the new one with --to"))
	}
	from, err := namedStore(o.from, o.env)
	to, err2 := namedStore(o.to, o.env)
	if err := errors.Join(err, err2); err != nil {
		return refuse(err)
	}
	source, err := openToRead(ctx, from)
	if errors.Is(err, storage.ErrLocked) {
		err = fmt.Errorf("%w; stop the suar serve that uses it", err)
	}
	if err != nil {
		return refuseUnusable(err)
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	if from.Redis != nil {
		free, err := occupy(ctx, source)
		if err != nil {
			return refuseUnusable(err)
		}
		defer free()
	}
	var tally backup.Tally
	err = fillNew(ctx, to, func(target storage.Store) error {
		tally, err = backup.Copy(ctx, target, source)
		return err
	})
	if err != nil {
		return refuseUnusable(err)
	}
	fmt.Fprintf(o.out, "Copied and read back the same: %s.\nSHA-256 of all of it, on both sides: %x\n", tallied(tally), tally.Digest)
	return nil
}

// occupy makes sure that nobody serves with a Redis, and keeps others from
// beginning to until free is called.
func occupy(ctx context.Context, store storage.Store) (free func(), err error) {
	const life = time.Hour
	holder := "copy " + rand.Text()
	var held []string
	free = func() {
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer stop()
		for _, name := range held {
			// It ends by itself if this fails.
			_ = store.Hold(ctx, name, holder, time.Now(), time.Now())
		}
	}
	for n := range places {
		name := placeName(n)
		now := time.Now()
		if err := store.Hold(ctx, name, holder, now, now.Add(life)); err != nil {
			free()
			if errors.Is(err, storage.ErrHeld) {
				err = fmt.Errorf("%w: a suar serve uses this Redis, or one died within the last 20 seconds, or another copy is under way; stop all of them", err)
			}
			return nil, err
		}
		held = append(held, name)
	}
	return free, nil
}
