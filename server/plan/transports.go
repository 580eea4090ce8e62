package plan

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/hookd/hookd/internal/netguard"
)

// transports shares HTTP transports between the lanes of all plans, so that a
// reload keeps the connections that are open. A transport belongs to one
// allow-list: what one destination may reach must not be open to another.
type transports struct {
	mu  sync.Mutex
	all map[string]*http.Transport
}

func (t *transports) get(g *netguard.Guard, hosts []string) *http.Transport {
	hosts = slices.Clone(hosts)
	slices.Sort(hosts)
	key := strings.Join(hosts, "\n")
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all = make(map[string]*http.Transport)
	}
	if t.all[key] == nil {
		t.all[key] = g.Transport(netguard.TransportOptions{})
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
