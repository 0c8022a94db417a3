package main

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"suar/internal/spelling"
)

// yamlFaults are a parser's errors, with the nearest known key where one is
// not known. What stands in the file is not repeated: it could be a token in the
// wrong place.
func yamlFaults(err error) []string {
	var te *yaml.TypeError
	if !errors.As(err, &te) {
		return []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	var out []string
	for _, what := range te.Errors {
		if before, rest, ok := strings.Cut(what, "field "); ok {
			if key, _, ok := strings.Cut(rest, " not found in type "); ok {
				what = fmt.Sprintf("%sthe key %q is not known%s", before, key, nearest(key))
			}
		}
		if before, rest, ok := strings.Cut(what, "cannot unmarshal "); ok {
			what = before + "want " + kindOf(rest[strings.LastIndexByte(rest, ' ')+1:])
		}
		out = append(out, what)
	}
	return out
}

// kindOf says what belongs where a Go type is read.
func kindOf(goType string) string {
	switch {
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case strings.HasPrefix(goType, "float"):
		return "a number"
	case goType == "int":
		return "a whole number"
	case goType == "bool":
		return "true or false"
	case goType == "string":
		return "a text"
	}
	return "keys with their values"
}

// keys are the keys of the configuration file.
func keys() []string {
	return []string{
		"listen", "telegram", "mattermost", "store", "vault_key_file", "recipients", "no_recovery_key", "book", "directory", "log",
		"mode", "server", "token_file", "webhook_url", "webhook_secret_file", "rate", "chat_rate",
		"url", "channel", "callback", "server_key", "on_call", "roster", "roster_key", "format", "level",
		"redis", "addresses", "sentinel", "cluster", "username", "password_file", "sentinel_username", "sentinel_password_file",
		"tls", "ca_file", "cert_file", "key_file", "prefix", "replicas", "may_lose_a_second",
		"quarantine", "deliveries", "callers", "officers", "backup", "folder", "keep", "languages", "profile",
		"command_token_file", "page", "webhook", "secret_file", "smtp", "host", "from", "to", "user", "plain",
	}
}

func nearest(key string) string {
	best := spelling.Nearest(key, keys())
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; is %q meant?", best)
}
