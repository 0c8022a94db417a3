package rig

import (
	"os/exec"
	"strconv"
	"syscall"
)

// ownProcess lets a child end with this process, however that ends.
func ownProcess() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// pin lets a command run on one core, if taskset is there.
func pin(cmd *exec.Cmd, core int) {
	taskset, err := exec.LookPath("taskset")
	if core < 0 || err != nil {
		return
	}
	// taskset becomes the command: the process's number stays.
	cmd.Args = append([]string{"taskset", "-c", strconv.Itoa(core), cmd.Path}, cmd.Args[1:]...)
	cmd.Path = taskset
}

// PinSelf lets all threads of this process run on one core and reports whether
// that is so now.
func PinSelf(core int) bool {
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return false
	}
	return exec.Command(taskset, "-acp", strconv.Itoa(core), strconv.Itoa(syscall.Getpid())).Run() == nil //nolint:gosec,noctx // It returns at once.
}
