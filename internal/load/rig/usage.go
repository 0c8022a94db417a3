package rig

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc: USER_HZ, which is 100 on every Linux that
// Go runs on.
const tick = 10 * time.Millisecond

// A Usage is what a process has cost so far.
type Usage struct {
	// CPU is the time on all cores, in user and in system mode.
	CPU time.Duration
	// RSS is the memory that is resident now, Peak the most that was, in bytes.
	// Mapped is the part of RSS that is files: the program itself and the
	// embedded store, which the system takes back when it needs the room.
	RSS, Peak, Mapped int64
}

// Usage reads what the process costs. It needs Linux's /proc.
func (p *Process) Usage() (Usage, error) { return usageOf(strconv.Itoa(p.PID())) }

// OwnUsage is that of this process.
func OwnUsage() (Usage, error) { return usageOf("self") }

func usageOf(process string) (u Usage, err error) {
	stat, err := os.ReadFile("/proc/" + process + "/stat")
	if err != nil {
		return u, fmt.Errorf("rig: %w", err)
	}
	// The second field is the name in brackets, which may hold spaces.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return u, fmt.Errorf("rig: /proc/%s/stat has %d fields", process, len(fields))
	}
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return u, fmt.Errorf("rig: %w", err)
		}
		u.CPU += time.Duration(n) * tick
	}
	status, err := os.ReadFile("/proc/" + process + "/status")
	if err != nil {
		return u, fmt.Errorf("rig: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		name, rest, _ := strings.Cut(line, ":")
		into := map[string]*int64{"VmRSS": &u.RSS, "VmHWM": &u.Peak, "RssFile": &u.Mapped}[name]
		if into == nil {
			continue
		}
		if _, err := fmt.Sscanf(strings.TrimSpace(rest), "%d kB", into); err != nil {
			return u, fmt.Errorf("rig: %s: %w", name, err)
		}
		*into <<= 10
	}
	return u, nil
}

// Machine says on what something was measured: cores, processor, Go.
func Machine() string {
	model := runtime.GOARCH
	raw, _ := os.ReadFile("/proc/cpuinfo") // Where there is none, the architecture has to do.
	for line := range strings.Lines(string(raw)) {
		if name, v, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(v)
			break
		}
	}
	return fmt.Sprintf("%d cores, %s, %s, %s", runtime.NumCPU(), model, runtime.GOOS, runtime.Version())
}
