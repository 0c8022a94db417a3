package main

import (
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"suar/internal/spelling"
)

// yamlFaults are a parser's errors, with the nearest known key where one is
// not known, to be put behind the file's name. What stands in the file is not repeated: it could be a token in the
// wrong place.
func yamlFaults(err error) []string {
	var te *yaml.TypeError
	if !errors.As(err, &te) {
		return []string{located(strings.TrimPrefix(err.Error(), "yaml: "))}
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
		out = append(out, located(what))
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
func keys() []string { return spelling.Keys(config{}) }

// located is a parser's error with its line as other faults have it, to be put
// behind the file's name.
func located(what string) string {
	if rest, ok := strings.CutPrefix(what, "line "); ok {
		return ":" + rest
	}
	return ": " + what
}

func nearest(key string) string {
	best := spelling.Nearest(key, keys())
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; is %q meant?", best)
}
