package redisconn

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/hookd/hookd/modules"
)

// MayRun connects anew and asks whether the server would run commands, each a
// list of words. Redis checks rights, memory and whether it is a replica when a
// command is queued in a transaction, so each is queued, and the transaction is
// thrown away. Of a user without the right to transactions it is known only
// whether it can log in and may run XADD.
//
// types are keys that must not be of another type than that, in which case every
// write to them would fail; a key that is missing is in order.
func (c *Client) MayRun(ctx context.Context, types map[string]string, commands ...[]any) error {
	w, err := dial(ctx, c.env, c.config)
	if err != nil {
		return c.name(err)
	}
	defer w.close()
	for key, want := range types {
		if err := w.typeOf(ctx, key, want); err != nil {
			return c.Failure(ctx, err)
		}
	}
	begun, err := w.run(ctx, func(p redis.Pipeliner) { p.Do(ctx, "multi") })
	switch {
	case err != nil:
		return c.Failure(ctx, err)
	case isCode(begun[0].Err(), "NOPERM"):
		return c.mayAdd(ctx, w, commands)
	case begun[0].Err() != nil:
		return c.Failure(ctx, begun[0].Err())
	}
	// The wire cannot have been replaced by one without the transaction: it has
	// one connection in all its life.
	queued, err := w.run(ctx, func(p redis.Pipeliner) {
		for _, words := range commands {
			p.Do(ctx, words...)
		}
		p.Do(ctx, "discard")
	})
	if err != nil {
		return c.Failure(ctx, err)
	}
	for i, words := range commands {
		if err := queued[i].Err(); err != nil {
			f := modules.FailureOf(c.Failure(ctx, err))
			f.Err = fmt.Errorf("%v: %w", words[0], f.Err)
			return &f
		}
	}
	return nil
}

// mayAdd asks for the right to those of the commands that are XADD, with an id
// that is none: Redis looks at rights first, then refuses, and adds nothing.
func (c *Client) mayAdd(ctx context.Context, w *wire, commands [][]any) error {
	for _, words := range commands {
		if words[0] != "xadd" {
			continue
		}
		asked, err := w.run(ctx, func(p redis.Pipeliner) { p.Do(ctx, "xadd", words[1], "no-id", "a", "b") })
		if err != nil {
			return c.Failure(ctx, err)
		}
		if err := asked[0].Err(); isCode(err, "NOPERM") {
			f := modules.FailureOf(c.Failure(ctx, err))
			f.Err = fmt.Errorf("xadd: %w", f.Err)
			return &f
		}
	}
	return nil
}

// typeOf fails when a key is of another type.
func (w *wire) typeOf(ctx context.Context, key, want string) error {
	var is *redis.StatusCmd
	if _, err := w.run(ctx, func(p redis.Pipeliner) { is = p.Type(ctx, key) }); err != nil {
		return err
	}
	switch is.Val() {
	case want, "none", "": // without the right to ask it is not known
		return nil
	}
	return modules.Retry(CodeWrongType, fmt.Errorf("the key %q is a %s, not a %s", key, is.Val(), want))
}
