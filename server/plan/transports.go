package plan

import (
	"slices"
	"strings"
	"sync"

	"github.com/hookd/hookd/internal/netguard"
)

// transports shares HTTP transports between the lanes of all plans, so that a
// reload keeps the connections that are open. A transport belongs to one policy
// and one allow-list: what one destination may reach must not be open to another,
// and an operator's connection may reach more than a hook's destination.
type transports struct {
	mu  sync.Mutex
	all map[reach]*netguard.Transport
}

// reach is what a transport may connect to.
type reach struct {
	policy *netguard.Guard
	hosts  string
}

// get is the transport for a policy that is widened by hosts.
func (t *transports) get(policy *netguard.Guard, hosts []string) *netguard.Transport {
	hosts = slices.Clone(hosts)
	slices.Sort(hosts)
	key := reach{policy, strings.Join(hosts, "\n")}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = make(map[reach]*netguard.Transport)
	}
	if t.all[key] == nil {
		t.all[key] = policy.With(hosts).Transport(netguard.TransportOptions{})
	}
	return t.all[key]
}

func (t *transports) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, tr := range t.all {
		tr.CloseIdleConnections()
	}
}
