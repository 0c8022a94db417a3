package simulation

import (
	"context"
	"maps"
	"slices"
	"testing/synctest"
	"time"

	"suar/flows"
	"suar/storage"
)

// play is a seed's whole story: things happen and go wrong, then all is mended,
// the officers close what is open, and time goes by until nothing is left.
func (w *world) play() {
	defer w.end()
	for range w.nature.replicas {
		w.start()
	}
	acts := w.nature.acts
	w.run(7*24*time.Hour, func() time.Duration {
		if acts--; acts < 0 {
			return -1
		}
		return w.act()
	})
	for _, phase := range []func(){
		func() { w.mend(); w.run(6*time.Minute, nil) },
		w.missCards, w.checkStill, w.checkBubbles, w.rest, w.checkCalls, w.closeAll, w.settleReplies, w.outlive, w.checkEnd,
	} {
		if w.blamed() {
			return
		}
		phase()
	}
}

// act lets somebody do something, and says how long nobody does anything then.
func (w *world) act() time.Duration {
	time.Sleep(w.between(2*time.Millisecond, 30*time.Millisecond))
	synctest.Wait()
	switch n := w.rng.IntN(100); {
	case n < 56+10*btoi(w.nature.keen):
		oneOf(w.schedule, w.people).act()
	case n < 86:
		oneOf(w.schedule, w.officers).act()
	case n < 87:
		w.admin.act()
	default:
		w.mishap()
	}
	if lull := w.lull; lull > 0 {
		w.lull = 0
		return lull
	}
	switch n := w.rng.IntN(1000); {
	case n < 700:
		return w.between(0, 5*time.Second)
	case n < 950:
		return w.between(5*time.Second, 2*time.Minute)
	case n < 990-30*btoi(w.nature.keen && !w.nature.returning):
		return w.between(2*time.Minute, 20*time.Minute)
	}
	return w.between(20*time.Minute, 90*time.Minute)
}

// mishap lets something go wrong that is larger than a call.
func (w *world) mishap() {
	switch w.rng.IntN(8) {
	case 6:
		if len(w.processes) > 0 {
			w.suspend(oneOf(w.schedule, w.processes))
		}
	case 0:
		if w.nature.crash > 0 && len(w.processes) > 0 {
			w.met["crash"]++
			oneOf(w.schedule, w.processes).kill()
		}
	case 1:
		if len(w.processes) > 0 {
			w.met["restart"]++
			oneOf(w.schedule, w.processes).stop()
		}
	case 2, 7:
		if w.nature.outages {
			side := oneOf(w.schedule, []string{"telegram", "telegram", "mattermost", "store"})
			d := w.between(5*time.Second, 5*time.Minute)
			if side != "store" && w.chance(500) {
				d = w.between(5*time.Minute, 3*time.Hour)
			}
			w.note("%s is down for %v", side, d)
			w.met["outage of "+side]++
			w.down[side] = time.Now().Add(d)
			if d > 5*time.Minute && w.chance(600) {
				// An officer still answers everybody, and then nobody does anything
				// until it is over: what may be said then is another thing.
				oneOf(w.schedule, w.officers).answerAll()
				w.lull = d + time.Minute
			}
		}
	case 3:
		if len(w.processes) > 0 {
			w.met["websocket cut"]++
			w.note("websockets are cut")
			oneOf(w.schedule, w.processes).cut()
		}
	case 4:
		if w.nature.jumps && len(w.processes) > 0 {
			p := oneOf(w.schedule, w.processes)
			d := w.skew()
			w.met["clock jump"]++
			w.note("the clock of %s is %v off now", p, d)
			p.offset.Store(int64(d))
		}
	case 5:
		switch {
		case w.nature.deletions && w.chance(700):
			w.deleteCard()
		case w.chance(200):
			d := w.between(time.Minute, 15*time.Hour)
			if len(w.telegram.Pending()) == 0 && w.chance(250) {
				// Longer than a message can be erased and an event's identity is
				// kept. Telegram drops what it could not hand over for a day:
				// nothing waits there.
				w.met["off past the sweep"]++
				d = w.between(40*time.Hour, 60*time.Hour)
			}
			w.off(d)
		}
	}
}

// suspend lets a process stand still: its machine is suspended, and others may
// take over what it holds.
func (w *world) suspend(p *process) {
	d := w.between(10*time.Second, 4*time.Minute)
	w.met["suspended"]++
	w.note("%s is suspended for %v", p, d)
	p.frozen = time.Now().Add(d)
}

// off is a time in which the machine of the hotline is off.
func (w *world) off(d time.Duration) {
	w.note("the machine is off for %v", d)
	w.met["machine off"]++
	for _, p := range w.processes {
		p.kill()
	}
	w.sleep(d)
}

// sleep lets time go by while no process runs.
func (w *world) sleep(d time.Duration) {
	until := time.Now().Add(d)
	for time.Now().Before(until) {
		synctest.Wait()
		if ready, _ := w.ready(); len(ready) > 0 {
			if ready[0].idle() {
				w.releaseIdle(ready[0])
				continue
			}
			w.release(ready[0]) // what Telegram and Mattermost try meanwhile
			continue
		}
		w.idle(until)
	}
}

// mend ends all faults, and begins the processes anew.
func (w *world) mend() {
	w.note("all is mended")
	w.calmed = true
	clear(w.down)
	for _, p := range w.processes {
		p.frozen = time.Time{}
	}
	w.nature.deletions = false
	w.poll = 5 * time.Second
	for _, p := range w.processes {
		p.kill()
	}
	w.restart = time.Now()
}

// missCards lets people write whose case has lost its card unnoticed.
func (w *world) missCards() {
	missed := false
	for _, v := range w.open() {
		p := w.people[v.chat-firstChat]
		if w.facts.lostRoots[string(v.state.Case.Thread)] && !p.shut {
			w.met["card missed"]++
			w.sleepBetweenActs()
			p.say()
			missed = true
		}
	}
	if missed {
		w.run(2*time.Minute, nil)
	}
}

// records are the conversations that the store keeps, by name.
func (w *world) records() map[string]storage.Record {
	all := map[string]storage.Record{}
	for id := range w.facts.convs {
		if r, err := w.memory.Load(context.Background(), id); err == nil {
			all[id] = r
		}
	}
	return all
}

// conversations are all that were ever there, in order.
func (w *world) conversations() []*conv {
	var all []*conv
	for _, id := range slices.Sorted(maps.Keys(w.facts.convs)) {
		all = append(all, w.facts.convs[id])
	}
	return all
}

// open are the conversations with a case that no officer has closed.
func (w *world) open() []*conv {
	return slices.DeleteFunc(w.conversations(), func(v *conv) bool {
		return v.state.Case == nil || v.state.Case.Phase == flows.Ended
	})
}

// closeAll lets an officer close every case, as the desk offers it.
func (w *world) closeAll() {
	for round := 0; len(w.open()) > 0 && !w.blamed(); round++ {
		if round == 6 {
			w.blame("%d cases cannot be closed", len(w.open()))
			return
		}
		o := w.officers[0]
		for _, t := range w.cards() {
			w.sleepBetweenActs()
			o.press(t)
		}
		w.run(20*time.Second, nil)
		for o.read(); len(o.asked) > 0; {
			w.sleepBetweenActs()
			o.answer(false)
		}
		w.run(40*time.Second, nil)
	}
}

func (w *world) sleepBetweenActs() {
	time.Sleep(3 * time.Millisecond)
	synctest.Wait()
}

// outlive lets time go by until nothing is left of any conversation.
func (w *world) outlive() {
	w.nature.replicas = 1
	for round := 0; !w.blamed(); round++ {
		var next time.Time
		left := w.records()
		for _, r := range left {
			if !r.Alarm.IsZero() && (next.IsZero() || r.Alarm.Before(next)) {
				next = r.Alarm
			}
		}
		switch {
		case len(left) == 0:
			return
		case next.IsZero():
			w.blame("%d conversations are kept for ever", len(left))
			return
		case round == 100:
			w.blame("%d conversations never end", len(left))
			return
		}
		for _, p := range w.processes {
			p.kill()
		}
		if d := time.Until(next.Add(time.Hour)); d > 0 {
			w.sleep(d)
		}
		w.restart = time.Now()
		w.run(90*time.Second, nil)
	}
}

// end ends everything that runs.
func (w *world) end() {
	w.calmed = true
	for _, p := range w.processes {
		p.kill()
	}
	go w.telegram.Close()
	w.sleep(5 * time.Minute)
}
