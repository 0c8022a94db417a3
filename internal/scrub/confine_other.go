//go:build !linux

package scrub

const selfPath = ""

// confine has nothing to take away where the system offers no way to: the
// process holds no key and no connection all the same.
func confine() error { return nil }
