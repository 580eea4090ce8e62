package kafka

import "github.com/rcrowley/go-metrics"

// silence is a registry without metrics: those of the library would start a
// goroutine that never ends. hookd measures deliveries itself.
type silence struct{}

// GetOrRegister returns a metric that does nothing, of the type that make has.
func (silence) GetOrRegister(_ string, make any) any {
	switch make.(type) {
	case func() metrics.Meter:
		return metrics.NilMeter{}
	case func() metrics.Histogram:
		return metrics.NilHistogram{}
	case func() metrics.Counter:
		return metrics.NilCounter{}
	case func() metrics.Gauge:
		return metrics.NilGauge{}
	}
	return make
}

// Each calls f for none.
func (silence) Each(func(string, any)) {}

// Get finds none.
func (silence) Get(string) any { return nil }

// GetAll finds none.
func (silence) GetAll() map[string]map[string]any { return nil }

// Register keeps nothing.
func (silence) Register(string, any) error { return nil }

// RunHealthchecks has none to run.
func (silence) RunHealthchecks() {}

// Unregister has none to remove.
func (silence) Unregister(string) {}

// UnregisterAll has none to remove.
func (silence) UnregisterAll() {}
