//go:build !linux

package rig

import (
	"os/exec"
	"syscall"
)

func ownProcess() *syscall.SysProcAttr { return nil }

func pin(*exec.Cmd, int) {}

// PinSelf does nothing here, and says so.
func PinSelf(int) (undo func()) { return nil }
