package e2e

import "syscall"

// ownProcess lets a child end with the test process, however that ends.
func ownProcess() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
