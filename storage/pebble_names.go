package storage

import "hash/maphash"

// names tells of most names that nothing is kept under them, without looking:
// of a new conversation that it is new. It is a Bloom filter of one size, however
// much is kept: with a million names it knows 99 of 100 others for what they
// are, with ten million one of four; the rest is looked for.
type names struct {
	bits []uint64
	seed maphash.Seed
}

// nameBits is how many bits there are: 2 MB.
const nameBits = 16 << 20

// nameProbes is how many of them each name has.
const nameProbes = 4

func newNames() names {
	return names{bits: make([]uint64, nameBits/64), seed: maphash.MakeSeed()}
}

// probes calls visit with each of the name's bits, until it returns false.
func (n *names) probes(kind byte, name string, visit func(word *uint64, bit uint64) bool) {
	h := maphash.String(n.seed, name) ^ uint64(kind)*0x9e3779b97f4a7c15
	step := h>>32 | 1
	for range nameProbes {
		at := h % nameBits
		if !visit(&n.bits[at/64], 1<<(at%64)) {
			return
		}
		h += step
	}
}

func (n *names) add(kind byte, name string) {
	n.probes(kind, name, func(word *uint64, bit uint64) bool {
		*word |= bit
		return true
	})
}

// lacks tells that nothing was ever kept under the name.
func (n *names) lacks(kind byte, name string) bool {
	lacks := false
	n.probes(kind, name, func(word *uint64, bit uint64) bool {
		lacks = *word&bit == 0
		return !lacks
	})
	return lacks
}
