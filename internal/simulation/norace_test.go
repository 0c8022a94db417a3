//go:build !race

package simulation

// seeds are how many are played if nobody says.
const seeds = 60
