//go:build !race

package simulation

// seeds are how many are played if nobody says.
const seeds = 60

// mutantSeeds are how many may be needed to find a fault that is built in.
const mutantSeeds = 100
