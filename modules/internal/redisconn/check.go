package redisconn

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/hookd/hookd/modules"
)

// Command is one that a delivery needs.
type Command struct {
	Words []any
	// Harmless takes the same right, and changes nothing, so that it can be run to
	// see; nil where there is nothing like that.
	Harmless []any
}

// Reads is a command that changes nothing.
func Reads(words ...any) Command { return Command{Words: words, Harmless: words} }

// MayRun connects anew and asks whether the server would run commands. Redis
// checks rights, memory and whether it is a replica when a command is queued in a
// transaction, so each is queued, and the transaction is thrown away. A user
// without the right to transactions is asked about in other ways; see without.
//
// types are keys that must not be of another type than that, in which case every
// write to them would fail; a key that is missing is in order.
func (c *Client) MayRun(ctx context.Context, types map[string]string, commands ...Command) error {
	w, err := dial(ctx, c.env, c.config)
	if err != nil {
		return c.name(err)
	}
	defer w.close()
	for _, key := range slices.Sorted(maps.Keys(types)) {
		if err := w.typeOf(ctx, key, types[key]); err != nil {
			return c.Failure(ctx, err)
		}
	}
	begun, err := w.run(ctx, func(p redis.Pipeliner) { p.Do(ctx, "multi") })
	switch {
	case err != nil:
		return c.Failure(ctx, err)
	case isCode(begun[0].Err(), "NOPERM"):
		return c.without(ctx, w, commands)
	case begun[0].Err() != nil:
		return c.Failure(ctx, begun[0].Err())
	}
	// The wire cannot have been replaced by one without the transaction: it has
	// one connection in all its life.
	queued, err := w.run(ctx, func(p redis.Pipeliner) {
		for _, q := range commands {
			p.Do(ctx, q.Words...)
		}
		p.Do(ctx, "discard")
	})
	if err != nil {
		return c.Failure(ctx, err)
	}
	for i, q := range commands {
		if err := queued[i].Err(); err != nil {
			return c.refused(ctx, q, err)
		}
	}
	return nil
}

// aclCheck is the question to a script, which knows the answer from version 7 on.
const aclCheck = `if not redis.acl_check_cmd or redis.acl_check_cmd(unpack(ARGV)) then return 1 end return 0`

// without asks in each way that there is without transactions: the server about
// the user, a script about its caller, for both of which a right may be missing,
// too, and by running what has no effect. What none of them answers is not known,
// and no failure.
func (c *Client) without(ctx context.Context, w *wire, commands []Command) error {
	user := c.config.User
	if user == "" {
		user = "default"
	}
	for _, q := range commands {
		asked, err := w.run(ctx, func(p redis.Pipeliner) {
			p.Do(ctx, append([]any{"acl", "dryrun", user}, q.Words...)...)
			p.Do(ctx, append([]any{"eval", aclCheck, 0}, q.Words...)...)
			if q.Harmless != nil {
				p.Do(ctx, q.Harmless...)
			}
		})
		if err != nil {
			return c.Failure(ctx, err)
		}
		if err := denied(asked); err != nil {
			return c.refused(ctx, q, err)
		}
	}
	return nil
}

// denied reads the answers to the questions about one command. An error that says
// nothing of rights or of the server's state is about the words, which were chosen
// so.
func denied(asked []redis.Cmder) error {
	if dry, ok := asked[0].(*redis.Cmd); ok && dry.Err() == nil && dry.Val() != "OK" {
		return modules.Retry(modules.CodeAuthFailed, fmt.Errorf("%v", dry.Val()))
	}
	if script, ok := asked[1].(*redis.Cmd); ok && script.Err() == nil && script.Val() == int64(0) {
		return modules.Retry(modules.CodeAuthFailed, errors.New("no right to the command, or to its key or channel"))
	}
	if len(asked) < 3 || asked[2].Err() == nil || errors.Is(asked[2].Err(), redis.Nil) {
		return nil
	}
	err := asked[2].Err()
	switch text := textOf(err); codeOf(text) {
	case "ERR", "NOSCRIPT", "WRONGTYPE":
		return nil
	case "NOPERM":
		if strings.Contains(text, "channel") && !strings.Contains(text, "to run the") {
			return nil // the one that nobody listens to
		}
	}
	return err
}

// refused is the failure of a command that would not be run.
func (c *Client) refused(ctx context.Context, q Command, err error) error {
	f := modules.FailureOf(c.Failure(ctx, err))
	f.Err = fmt.Errorf("%v: %w", q.Words[0], f.Err)
	return &f
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
