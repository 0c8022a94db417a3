package bot

// mostIdle is how many goroutines of a crew wait for work.
const mostIdle = 128

// A crew does things in goroutines that it keeps: one that has done something
// before has the stack for it, and growing that costs as much as many a thing
// that is done here.
type crew struct {
	work chan func()
	idle chan struct{} // slots for those that wait
	done chan struct{}
}

func newCrew() *crew {
	return &crew{work: make(chan func()), idle: make(chan struct{}, mostIdle), done: make(chan struct{})}
}

// do lets somebody do f, at once.
func (c *crew) do(f func()) {
	select {
	case c.work <- f:
	default:
		go c.member(f)
	}
}

func (c *crew) member(f func()) {
	for {
		f()
		select {
		case c.idle <- struct{}{}:
		default:
			return // Enough wait already.
		}
		select {
		case f = <-c.work:
			<-c.idle
		case <-c.done:
			return
		}
	}
}

// dismiss lets those go who wait. What is done after it is done by others.
func (c *crew) dismiss() { close(c.done) }
