//go:build race

package presets_test

// The race detector empties pools at random, so allocations are not counted
// under it.
const raceEnabled = true
