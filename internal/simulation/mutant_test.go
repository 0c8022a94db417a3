package simulation

import (
	"suar/flows"
	"suar/internal/engine"
	"suar/storage"
)

// A mutant is a fault of the hotline's own that is built in on purpose, to see
// that the simulation finds it. The zero one is none.
type mutant struct {
	name        string
	onStore     func(*world, storage.Store) storage.Store
	onFlow      func(*flows.Book) engine.Flow
	onHandler   func(engine.Handler) engine.Handler
	onDeliverer func(engine.Deliverer) engine.Deliverer
}

func (m mutant) store(w *world, s storage.Store) storage.Store {
	if m.onStore == nil {
		return s
	}
	return m.onStore(w, s)
}

func (m mutant) flow(b *flows.Book) engine.Flow {
	if m.onFlow == nil {
		return b
	}
	return m.onFlow(b)
}

func (m mutant) handler(h engine.Handler) engine.Handler {
	if m.onHandler == nil {
		return h
	}
	return m.onHandler(h)
}

func (m mutant) deliverer(d engine.Deliverer) engine.Deliverer {
	if m.onDeliverer == nil {
		return d
	}
	return m.onDeliverer(d)
}
