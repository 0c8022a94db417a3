package spelling

import (
	"reflect"
	"strings"
)

// Keys returns the YAML keys that v, a struct or what leads to one, can hold at
// any depth, each once, in the order of the fields.
func Keys(v any) []string {
	var out []string
	seen, known := map[reflect.Type]bool{}, map[string]bool{}
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		if t == nil || seen[t] {
			return
		}
		seen[t] = true
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
			walk(t.Elem())
		case reflect.Struct:
			for field := range t.Fields() {
				tag, ok := field.Tag.Lookup("yaml")
				if !ok {
					continue
				}
				key, _, _ := strings.Cut(tag, ",")
				if key != "" && key != "-" && !known[key] {
					known[key] = true
					out = append(out, key)
				}
				walk(field.Type)
			}
		}
	}
	walk(reflect.TypeOf(v))
	return out
}
