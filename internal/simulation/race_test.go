//go:build race

package simulation

// seeds are how many are played if nobody says.
const seeds = 10

// enough says that so many seeds meet everything that can happen.
const enough = false
