package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"suar/internal/backup"
	"suar/internal/engine"
	"suar/internal/seal"
	"suar/storage"
)

// A rotation is what suar keys rotate was asked for.
type rotation struct {
	stage, use bool
	drop       uint32
	backup     string
}

func newKeysRotateCommand() *cobra.Command {
	var r rotation
	c := &cobra.Command{
		Use:   "rotate VAULT-KEY-FILE",
		Short: "Give the vault another key, while the hotline runs",
		Long: `Give the vault another key, while the hotline runs.

rotate adds a key to the file that vault_key_file names, and has everything from now
on sealed with it. suar serve sees that within seconds, goes on with it, and seals
what it keeps anew; its log says when. Nothing stops and nothing is lost. Where
several processes have a copy of the file each: first --stage, copy the file to all,
wait until the log of each says that the key was taken over, then --use, and copy
again.

A backup from before needs the key from before, which stays in the file. When
everything is sealed anew and a backup was made since, --drop takes a former key out:
then no copy of the store from that time opens any more, not even yours. The offline
copy of the vault key must be made anew after each step.

The names in the store depend on two lines that are never changed. Whoever took the
whole file must be answered with a new hotline, not with a rotation.`,
		Example: `  suar keys rotate /etc/suar/secrets/vault-key
  suar keys rotate --drop 1 --backup /var/backups/suar/suar-….backup /etc/suar/secrets/vault-key`,
		Args: oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := r.check(); err != nil {
				return refuse(err)
			}
			said, err := r.run(cmd.Context(), args[0])
			if err != nil {
				return refuse(plain(err))
			}
			fmt.Fprint(cmd.OutOrStdout(), said)
			return nil
		},
	}
	c.Flags().BoolVar(&r.stage, "stage", false, "add a key and do not seal with it yet")
	c.Flags().BoolVar(&r.use, "use", false, "seal with the newest key, which --stage added")
	c.Flags().Uint32Var(&r.drop, "drop", 0, "take the key of this `epoch` out")
	c.Flags().StringVar(&r.backup, "backup", "", "with --drop: a `file` that was backed up since, which proves that nothing needs the key")
	return c
}

func (r rotation) check() error {
	if r.stage && r.use || (r.stage || r.use) && r.drop > 0 {
		return errors.New("--stage, --use, --drop: one of the three")
	}
	if (r.drop > 0) != (r.backup != "") {
		return errors.New("--drop EPOCH and --backup FILE go together: only a backup that was made since proves that nothing needs the key any more")
	}
	return nil
}

// run changes the file and says what it holds then.
func (r rotation) run(ctx context.Context, file string) (string, error) {
	file, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", missing(err, "want the file that vault_key_file names")
	}
	s, _, err := readSecret("", file, func(string) (string, bool) { return "", false })
	if err != nil {
		return "", missing(err, "want the file that vault_key_file names")
	}
	key, err := seal.ParseVaultKey([]byte(s.Reveal()))
	if err != nil {
		return "", err
	}
	next, err := r.next(ctx, key)
	if err != nil {
		return "", err
	}
	if err := replaceSecret(file, next.File()); err != nil {
		return "", fmt.Errorf("the key in %s is as it was: %w", file, err)
	}
	all, seals := next.Epochs()
	names := make([]string, len(all))
	for i, e := range all {
		names[i] = fmt.Sprint(e)
	}
	return fmt.Sprintf("%s: sealed with epoch %d; opens %s. Make the offline copy anew.\n", file, seals, strings.Join(names, ", ")), nil
}

// next is the key after the step that was asked for.
func (r rotation) next(ctx context.Context, key seal.VaultKey) (seal.VaultKey, error) {
	all, seals := key.Epochs()
	newest := all[len(all)-1]
	switch {
	case r.drop > 0:
		next, err := key.Without(r.drop)
		if err != nil {
			return key, err
		}
		return next, r.unneeded(ctx, seals)
	case r.use && newest == seals:
		return key, errors.New("--use: the newest key is sealed with already; --stage adds one")
	case r.use:
		return key.SealWith(newest)
	case newest != seals:
		return key, fmt.Errorf("epoch %d was added and is not used yet: --use it first", newest)
	}
	next, epoch, err := key.WithEpoch(rand.Reader)
	if err != nil || r.stage {
		return next, err
	}
	return next.SealWith(epoch)
}

// unneeded reports whether the backup proves that nothing is sealed in the epoch
// that is to be dropped.
func (r rotation) unneeded(ctx context.Context, seals uint32) error {
	f, err := backup.Open(ctx, r.backup)
	if err != nil {
		return missing(err, "--backup wants a file that suar backup or suar serve wrote")
	}
	defer f.Close()
	sealed := engine.Epochs{}
	said := uint32(0)
	err = f.Dump(ctx, func(p storage.Piece) error {
		sealed.Count(p)
		said = max(said, engine.KeyEpoch(p))
		return nil
	})
	switch {
	case err != nil:
		return err
	case said < seals:
		return fmt.Errorf("the backup of %s was made before everything was sealed anew: nothing was dropped; wait until the log of suar serve says so, and make another backup", f.Made().Format(time.DateTime))
	case sealed[r.drop] > 0:
		return fmt.Errorf("%s still sealed in epoch %d, such as what waits for its delivery: nothing was dropped; wait, and make another backup", pluralOf(sealed[r.drop], "thing in the backup is", "things in the backup are"), r.drop)
	}
	return nil
}

// replaceSecret writes a file anew, whole or not at all, with the owner and the
// mode of the one that was there.
func replaceSecret(path string, data []byte) (err error) {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	draft, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".draft-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(draft.Name()))
		}
	}()
	_, err = draft.Write(data)
	if err == nil {
		err = errors.Join(sameOwner(draft, info), draft.Chmod(info.Mode().Perm()), draft.Sync())
	}
	if err = errors.Join(err, draft.Close()); err != nil {
		return err
	}
	if err = os.Rename(draft.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}
