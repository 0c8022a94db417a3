//go:build !linux

package e2e

import "syscall"

// ownProcess is for what only Linux can: ending a child with its parent.
func ownProcess() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
