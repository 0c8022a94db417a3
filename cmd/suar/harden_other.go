//go:build !linux

package main

// harden does nothing where the ways to do it are not Linux's.
func harden() {}

// protections are none that anybody knows of.
func protections() []protection {
	return []protection{{
		What: "memory is kept from the disk and from other processes",
		Todo: "Suar knows how on Linux only: run the hotline there, and encrypt this machine's disk with its swap",
	}}
}
