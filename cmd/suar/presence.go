package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"suar/storage"
)

// Every process that serves with a Redis holds one of so many places in it, so
// that who copies the store can tell whether anybody uses it. A process that
// died holds its place for as long as its life.
const (
	places    = 32
	placeLife = 20 * time.Second
	placeBeat = 4 * time.Second
)

// errFull says why a process does not serve.
var errFull = errors.New("this Redis is being copied by suar store copy, or too many processes serve with it")

// A place is what a process holds of a store.
type place struct {
	store        storage.Store
	name, holder string
}

func placeName(n int) string { return fmt.Sprintf("place %d", n) }

// takePlace returns a place that was free.
func takePlace(ctx context.Context, store storage.Store) (*place, error) {
	p := &place{store: store, holder: rand.Text()}
	for n := range places {
		p.name = placeName(n)
		err := p.hold(ctx, placeLife)
		if !errors.Is(err, storage.ErrHeld) {
			return p, err
		}
	}
	return nil, errFull
}

func (p *place) hold(ctx context.Context, life time.Duration) error {
	now := time.Now()
	return p.store.Hold(ctx, p.name, p.holder, now, now.Add(life))
}

// keep holds the place until ctx ends.
func (p *place) keep(ctx context.Context) {
	for pause(ctx, placeBeat) == nil {
		err := p.hold(ctx, placeLife)
		if !errors.Is(err, storage.ErrHeld) {
			continue // A store that does not answer is not being copied either.
		}
		// This process was suspended, and another has the place. Any will do.
		if other, err := takePlace(ctx, p.store); err == nil {
			p.name, p.holder = other.name, other.holder
		}
	}
}

// leave gives the place up.
func (p *place) leave() {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	_ = p.hold(ctx, 0) // It is over by itself, if not now.
}
