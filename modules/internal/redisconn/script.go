package redisconn

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// NoScript is the hash of a script that there is not.
const NoScript = "0000000000000000000000000000000000000000"

// Call is one call of a script.
//
// A script writes once, at most. What it writes with several commands stands as
// a transaction in the append-only file, and servers up to the end of 2025 leave
// out, when they load the file, every transaction that the user "default" would
// have no right to: with "user default off", which is good practice, all of them,
// without a word (redis/redis issue 14541, valkey-io/valkey issue 3983). What a
// delivery must write with several commands is a series of calls instead, each of
// which finds out what the ones before it did.
type Call struct {
	Script *redis.Script
	Keys   []string
	Args   []any
}

// Eval makes several series of calls in one go and returns the answers to each.
// The server is sent a script's text only when it does not know it. An error
// means that nothing was sent.
func (c *Client) Eval(ctx context.Context, series [][]Call) ([][]redis.Cmder, error) {
	if len(series) == 0 {
		return nil, nil
	}
	all, err := c.eval(ctx, series, false)
	if err != nil {
		return nil, err
	}
	var again []retry
	for i, answers := range all {
		for n, a := range answers {
			if isCode(a.Err(), "NOSCRIPT") {
				// And those behind it, which found it not done. Not those before
				// it: they are done.
				again = append(again, retry{i, n, series[i][n:]})
				break
			}
		}
	}
	if len(again) == 0 {
		return all, nil
	}
	rest := make([][]Call, len(again))
	for i, r := range again {
		rest[i] = r.calls
	}
	second, err := c.eval(ctx, rest, true)
	for i, r := range again {
		for n := range r.calls {
			if err != nil {
				all[r.series][r.from+n].SetErr(err)
				continue
			}
			all[r.series][r.from+n] = second[i][n]
		}
	}
	return all, nil
}

// retry are the calls of a series that are made again.
type retry struct {
	series, from int
	calls        []Call
}

// eval makes the calls; with teach it sends the text of each script with the
// first of its calls.
func (c *Client) eval(ctx context.Context, series [][]Call, teach bool) ([][]redis.Cmder, error) {
	cmds, err := c.Run(ctx, func(p redis.Pipeliner) {
		taught := make(map[*redis.Script]bool)
		for _, calls := range series {
			for _, call := range calls {
				if !teach || taught[call.Script] {
					call.Script.EvalSha(ctx, p, call.Keys, call.Args...)
					continue
				}
				taught[call.Script] = true
				call.Script.Eval(ctx, p, call.Keys, call.Args...)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	all := make([][]redis.Cmder, len(series))
	for i, calls := range series {
		all[i], cmds = cmds[:len(calls)], cmds[len(calls):]
	}
	return all, nil
}
