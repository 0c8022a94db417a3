package demo

import (
	"context"
	"errors"
	"io"
)

// Script plays a whole case.
func Script(ctx context.Context, c Commands, out io.Writer) error { return errors.New("not yet") }
