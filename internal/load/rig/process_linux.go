package rig

import (
	"os/exec"
	"runtime"
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

// PinSelf lets all threads of this process run on one core, and returns what
// lets them run on all again; nil if it cannot.
func PinSelf(core int) (undo func()) {
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return nil
	}
	to := func(cores string) error {
		return exec.Command(taskset, "-acp", cores, strconv.Itoa(syscall.Getpid())).Run() //nolint:gosec,noctx // It returns at once.
	}
	if to(strconv.Itoa(core)) != nil {
		return nil
	}
	return func() { _ = to("0-" + strconv.Itoa(runtime.NumCPU()-1)) }
}
