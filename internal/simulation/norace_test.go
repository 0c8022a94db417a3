//go:build !race

package simulation

// seeds are how many are played if nobody says.
const seeds = 150

// enough says that so many seeds meet everything that can happen.
const enough = true

// mutantSeeds are how many may be needed to find a fault that is built in.
const mutantSeeds = 100
