package redisstream

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/redisconn"
)

// fields are the names of an entry's fields besides the body's: what hookd says
// about a delivery, and the headers.
var fields = []string{
	"headers", "content-type", "hookd-event-id", "hookd-delivery-id", "hookd-hook", "hookd-attempt", "traceparent", "tracestate",
}

// destination appends to one stream.
type destination struct {
	client *redisconn.Client
	o      *Options
}

// appendOnce adds an entry, unless there is a mark of the delivery, whose value is
// the entry that an earlier attempt added.
//
// KEYS: the stream, the mark. ARGV: the arguments of XADD after the key.
var appendOnce = redis.NewScript(`
local had = redis.call('GET', KEYS[2])
if had then return {had, 1} end
local id = redis.call('XADD', KEYS[1], unpack(ARGV))
if not id then return {} end
return {id, 0}
`)

// remember sets the mark when the entry is there: among the latest of the
// stream, most likely the very last, as it comes right behind the one that added
// it. Where it is not found no mark is set, and a repeat would add it again: a
// mark without its entry would be a loss.
//
// KEYS: the stream, the mark. ARGV: the delivery's id, the mark's life in
// milliseconds.
var remember = redis.NewScript(`
for _, count in ipairs({1, 16}) do
  for _, entry in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', count)) do
    local fields = entry[2]
    for i = 1, #fields, 2 do
      if fields[i] == 'hookd-delivery-id' and fields[i + 1] == ARGV[1] then
        redis.call('SET', KEYS[2], entry[1], 'NX', 'PX', ARGV[2])
        return 1
      end
    end
  end
end
return 0
`)

// BatchLimit is how much goes out before the first answer is read.
func (d *destination) BatchLimit() (items, bytes int) {
	return redisconn.BatchItems, redisconn.BatchBytes
}

// Send appends one.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	r := d.SendBatch(ctx, []*event.Delivery{x})[0]
	return r.Receipt, r.Err
}

// SendBatch appends all, then reads all answers.
func (d *destination) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	results := make([]modules.Result, len(ds))
	cmds, err := d.run(ctx, ds)
	for i := range results {
		if err != nil {
			results[i].Err = err
			continue
		}
		results[i] = d.result(ctx, cmds[i])
	}
	return results
}

// run sends one command for each delivery and returns the answers to it.
func (d *destination) run(ctx context.Context, ds []*event.Delivery) ([]redis.Cmder, error) {
	if d.o.Deduplicate == 0 {
		return d.client.Run(ctx, func(p redis.Pipeliner) {
			for _, x := range ds {
				p.Do(ctx, append([]any{"xadd", d.o.Stream}, d.entry(x)...)...)
			}
		})
	}
	series := make([][]redisconn.Call, len(ds))
	for i, x := range ds {
		id := x.ID.String()
		keys := []string{d.o.Stream, d.o.mark(id)}
		series[i] = []redisconn.Call{
			{Script: appendOnce, Keys: keys, Args: d.entry(x)},
			{Script: remember, Keys: keys, Args: []any{id, d.o.Deduplicate.Milliseconds()}},
		}
	}
	answers, err := d.client.Eval(ctx, series)
	if err != nil {
		return nil, err
	}
	cmds := make([]redis.Cmder, len(ds))
	for i := range cmds {
		cmds[i] = answers[i][0] // whether it is remembered decides nothing
	}
	return cmds, nil
}

// entry are the arguments of XADD after the key.
func (d *destination) entry(x *event.Delivery) []any {
	var args []any
	if !d.o.Create {
		args = append(args, "NOMKSTREAM")
	}
	if d.o.MaxLen > 0 {
		kind := "~"
		if d.o.Exact {
			kind = "="
		}
		args = append(args, "MAXLEN", kind, d.o.MaxLen)
	}
	headers := d.o.Headers.Of(x)
	args = append(args, "*", d.o.PayloadField, x.Body)
	for _, name := range fields[1:] {
		if v, ok := headers[name]; ok {
			args = append(args, name, v)
			if strings.HasPrefix(name, "hookd-") {
				delete(headers, name)
			}
		}
	}
	return append(args, fields[0], redisconn.JSON(headers))
}

// result reads an answer: an id, or from the script an id and whether it is of
// an earlier attempt. No id means that the stream is missing, and that nothing
// was stored.
func (d *destination) result(ctx context.Context, cmd redis.Cmder) (r modules.Result) {
	answer, ok := cmd.(*redis.Cmd)
	switch err := cmd.Err(); {
	case errors.Is(err, redis.Nil):
		r.Err = d.missing()
		return r
	case err != nil:
		r.Err = d.client.Failure(ctx, err)
		return r
	case !ok:
		r.Err = d.strange(cmd)
		return r
	}
	switch v := answer.Val().(type) {
	case string:
		r.Receipt.Status = fmt.Sprintf("entry %s of %s", v, d.o.Stream)
	case []any:
		r = d.scripted(v)
	default:
		r.Err = d.strange(v)
	}
	return r
}

func (d *destination) scripted(v []any) (r modules.Result) {
	if len(v) == 0 {
		r.Err = d.missing()
		return r
	}
	id, ok := v[0].(string)
	if !ok || len(v) != 2 {
		r.Err = d.strange(v)
		return r
	}
	r.Receipt.Status = fmt.Sprintf("entry %s of %s", id, d.o.Stream)
	if v[1] == int64(1) {
		r.Receipt.Status += ", added by an earlier attempt"
	}
	return r
}

func (d *destination) missing() error {
	return modules.Retry(modules.CodeNotFound, fmt.Errorf("redis: there is no stream %q, and \"create\" is false", d.o.Stream))
}

func (d *destination) strange(v any) error {
	return modules.Retry(modules.CodeBadAnswer, fmt.Errorf("redis: XADD answered with a %T", v))
}

// Check asks whether the commands of a delivery would be run.
func (d *destination) Check(ctx context.Context) error {
	commands := []redisconn.Command{{
		Words:    []any{"xadd", d.o.Stream, "*", "a", "b"},
		Harmless: []any{"xadd", d.o.Stream, "no-id", "a", "b"},
	}}
	if d.o.Deduplicate > 0 {
		mark := d.o.mark("check")
		commands = append(commands,
			redisconn.Reads("get", mark),
			redisconn.Reads("xrevrange", d.o.Stream, "+", "-", "count", 1),
			redisconn.Command{Words: []any{"set", mark, "", "nx", "px", 1000}, Harmless: []any{"set", mark, "", "nx", "px", 0}},
			redisconn.Reads("evalsha", redisconn.NoScript, 2, d.o.Stream, mark),
			redisconn.Reads("eval", "return 0", 2, d.o.Stream, mark))
	}
	if err := d.client.MayRun(ctx, map[string]string{d.o.Stream: "stream"}, commands...); err != nil {
		return err
	}
	return d.exists(ctx)
}

// exists fails when the stream must be there and is not.
func (d *destination) exists(ctx context.Context) error {
	if d.o.Create {
		return nil
	}
	cmds, err := d.client.Run(ctx, func(p redis.Pipeliner) { p.Exists(ctx, d.o.Stream) })
	if err != nil {
		return err
	}
	if n, ok := cmds[0].(*redis.IntCmd); ok && n.Err() == nil && n.Val() == 0 {
		return d.missing()
	}
	return nil
}
