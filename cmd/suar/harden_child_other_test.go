//go:build !linux

package main

const (
	hardenedArgument = "harden-and-tell"
	limitedArgument  = "harden-limited"
)

func hardenAndTell(bool) {}
