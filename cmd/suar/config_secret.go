package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"suar/internal/secret"
)

// readSecret returns a secret from the environment, from the file that the
// environment names, or from the file that the configuration names, and the
// path of the file, "" if there is none. A file is refused that everybody can
// read, or that others than its owner can change; that its group can read is
// how systemd and container runtimes hand over secrets.
func readSecret(variable, file string, env lookup) (s secret.Secret, path string, err error) {
	value, direct := env(variable)
	if named, ok := env(variable + "_FILE"); ok && named != "" {
		if direct {
			return s, named, fmt.Errorf("both %s and %s_FILE are set; keep one", variable, variable)
		}
		file = named
	}
	if direct {
		return secret.New(strings.TrimSpace(value)), "", nil
	}
	if file == "" {
		return s, "", nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return s, file, err
	}
	if info.IsDir() {
		return s, file, &fs.PathError{Op: "read", Path: file, Err: errors.New("is a folder")}
	}
	switch mode := info.Mode().Perm(); {
	case mode&0o007 != 0:
		return s, file, fmt.Errorf("%s is open to everybody on this machine; chmod 0400 %s", file, file)
	case mode&0o020 != 0:
		return s, file, fmt.Errorf("%s can be changed by its group; chmod 0440 %s", file, file)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return s, file, err
	}
	return secret.New(strings.TrimSpace(string(raw))), file, nil
}
