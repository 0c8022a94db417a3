//go:build !race

package scrub

const raceFactor = 1
