package rig

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// ErrEnded says that a process ended by itself.
var ErrEnded = errors.New("rig: the process ended")

// A Process is one life of a program.
type Process struct {
	cmd    *exec.Cmd
	exited chan struct{}
}

// Command is a program with arguments, not started. It has no environment but
// where programs are and a home, and ends with this process, however that ends.
func Command(program, home string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...) //nolint:gosec,noctx // A program of ours; it is ended with a signal.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}
	cmd.SysProcAttr = ownProcess()
	return cmd
}

// Start starts a command; on Linux on one core alone, if one is given and not -1.
func Start(cmd *exec.Cmd, core int) (*Process, error) {
	pin(cmd, core)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("rig: %w", err)
	}
	p := &Process{cmd: cmd, exited: make(chan struct{})}
	go func() {
		// Its state tells how it ended.
		_ = cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Code is the exit code after Exited, -1 after a signal.
func (p *Process) Code() int { return p.cmd.ProcessState.ExitCode() }

// Ready returns when something answers at the address, or ErrEnded.
func (p *Process) Ready(ctx context.Context, url string) error {
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return fmt.Errorf("rig: %w", err)
		}
		resp, err := client.Do(r)
		if err == nil {
			_ = resp.Body.Close()
			return nil
		}
		select {
		case <-p.exited:
			return ErrEnded
		case <-ctx.Done():
			return fmt.Errorf("rig: no answer: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Signal sends a signal. That the process has ended already is no error.
func (p *Process) Signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("rig: %w", err)
	}
	return nil
}

// Kill ends the process as a crash does, and waits.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // It may have ended by itself.
	<-p.exited
}

// Stop ends the process as the system does, and waits; if ctx ends before it is
// killed. It must end with code 0.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.exited:
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("rig: the process does not end: %w", ctx.Err())
	}
	if code := p.Code(); code != 0 {
		return fmt.Errorf("rig: the process ended with code %d", code)
	}
	return nil
}
