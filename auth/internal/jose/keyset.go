package jose

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/hookd/hookd/auth"
)

const (
	// keysFor is how long keys are used without asking again, unless the
	// answer's Cache-Control says otherwise within the bounds.
	keysFor    = 10 * time.Minute
	minKeysFor = time.Minute
	maxKeysFor = 24 * time.Hour
	// staleFor is how much longer they are used while the URL is down.
	staleFor = 24 * time.Hour
	// askEvery is the shortest time between two requests: keys that nobody has
	// heard of cost one each time, whoever sends them.
	askEvery = 15 * time.Second
)

// keySet are the keys at a URL, fetched when they are first needed, when they
// are old, and when a token names one that is not among them.
type keySet struct {
	get *getter
	log *slog.Logger // may be nil

	turn chan struct{} // holds a token while one caller fetches

	mu    sync.Mutex
	state keyState // guarded by mu
}

type keyState struct {
	keys  []key
	until time.Time // they are fresh before it
	asked time.Time // when the last request ended
	err   error     // of the last request
}

func newKeySet(env auth.Env, rawURL string) (*keySet, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("the URL of the JWK Set cannot be read")
	}
	if err := CheckKeysURL(*u); err != nil {
		return nil, fmt.Errorf("the URL of the JWK Set: %w", err)
	}
	return &keySet{get: newGetter(env, rawURL), log: env.Log, turn: make(chan struct{}, 1)}, nil
}

// find returns the keys that may have signed a token; none where the set has
// none. The error says that this cannot be known now.
func (s *keySet) find(ctx context.Context, kid string, alg Algorithm) ([]key, error) {
	found, fresh, _ := s.look(kid, alg)
	if len(found) > 0 && fresh {
		return found, nil
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// Whoever had the turn before may have fetched what is needed.
	if found, fresh, _ = s.look(kid, alg); (len(found) == 0 || !fresh) && s.due() {
		s.refresh(ctx)
		found, _, _ = s.look(kid, alg)
	}
	if len(found) > 0 {
		return found, nil
	}
	_, _, err := s.look(kid, alg)
	return nil, err
}

// look answers from memory.
func (s *keySet) look(kid string, alg Algorithm) (found []key, fresh bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Before(s.state.until.Add(staleFor)) {
		found = choose(s.state.keys, kid, alg)
	}
	return found, now.Before(s.state.until), s.state.err
}

// choose is by the algorithm and, where both have one, by the id.
func choose(keys []key, kid string, alg Algorithm) []key {
	var found []key
	for _, k := range keys {
		if k.suits(alg) && (kid == "" || k.id == "" || k.id == kid) {
			found = append(found, k)
		}
	}
	return found
}

func (s *keySet) due() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.state.asked) >= askEvery
}

// refresh fetches. Keys that are there stay when that fails. The request that
// happens to need it first cannot end it early: others wait for it.
func (s *keySet) refresh(ctx context.Context) {
	keys, lifetime, err := s.get.keys(context.WithoutCancel(ctx))
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.state.asked, s.state.err = now, err
	if err == nil {
		s.state.keys, s.state.until = keys, now.Add(lifetime)
		return
	}
	if s.log != nil {
		s.log.WarnContext(ctx, "the keys of an issuer cannot be fetched",
			"url", s.get.place, "kept", len(s.state.keys), "error", err)
	}
}
