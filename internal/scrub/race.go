//go:build race

package scrub

// raceFactor is for the memory of the race detector, which only tests have.
const raceFactor = 64
