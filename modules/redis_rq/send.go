package redisrq

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/redisconn"
)

// destination queues jobs for one function.
type destination struct {
	client *redisconn.Client
	o      *Options
}

// What RQ writes in one transaction, SADD, HSET and RPUSH, is a series of calls
// here, so that it survives a restart of the server; see redisconn.Call. Each can
// be repeated, and none does what the one before it was to prepare and did not.

// write writes the job, unless it is there, whatever has become of it.
//
// KEYS: the job. ARGV: its fields and their values.
var write = redis.NewScript(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
`)

// push puts a job into the queue that this very attempt has written, or that
// waits to be run and is not in the queue: the attempt before got no further than
// to write it. A worker changes the status of what it takes.
//
// KEYS: the job, the queue. ARGV: the job's id, the attempt's mark.
var push = redis.NewScript(`
local job = redis.call('HMGET', KEYS[1], 'status', 'hookd_attempt')
if not job[1] then return {0, 'missing'} end
if job[2] ~= ARGV[2] then
  if job[1] ~= 'queued' then return {0, job[1]} end
  local at = redis.pcall('LPOS', KEYS[2], ARGV[1], 'RANK', -1)
  if type(at) == 'number' then return {0, job[1]} end
  if at then -- an error: before version 6.0.6
    for _, id in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
      if id == ARGV[1] then return {0, job[1]} end
    end
  end
end
redis.call('RPUSH', KEYS[2], ARGV[1])
return {1, 'queued'}
`)

// announce puts the queue among those that dashboards list. Workers do without,
// so that a failure of it is none of the delivery.
//
// KEYS: the set of queues. ARGV: the queue's key.
var announce = redis.NewScript(`return redis.call('SADD', KEYS[1], ARGV[1])`)

// BatchLimit is how much goes out before the first answer is read.
func (d *destination) BatchLimit() (items, bytes int) {
	return redisconn.BatchItems, redisconn.BatchBytes
}

// Send queues one.
func (d *destination) Send(ctx context.Context, x *event.Delivery) (event.Receipt, error) {
	r := d.SendBatch(ctx, []*event.Delivery{x})[0]
	return r.Receipt, r.Err
}

// SendBatch queues all that can be handed over, then reads all answers.
func (d *destination) SendBatch(ctx context.Context, ds []*event.Delivery) []modules.Result {
	results := make([]modules.Result, len(ds))
	series, of := make([][]redisconn.Call, 0, len(ds)), make([]int, 0, len(ds))
	for i, x := range ds {
		calls, err := d.calls(x)
		if err != nil {
			results[i].Err = err
			continue
		}
		if len(series) == 0 {
			calls = append(calls, redisconn.Call{Script: announce, Keys: []string{keyQueues}, Args: []any{keyQueue + d.o.Queue}})
		}
		series, of = append(series, calls), append(of, i)
	}
	answers, err := d.client.Eval(ctx, series)
	for n, i := range of {
		if err != nil {
			results[i].Err = err
			continue
		}
		results[i] = d.result(ctx, ds[i], answers[n])
	}
	return results
}

// calls are those that queue a delivery.
func (d *destination) calls(x *event.Delivery) ([]redisconn.Call, error) {
	// Another attempt, be it by another process, has another mark.
	attempt := rand.Text()
	fields, err := d.o.job(x, time.Now(), attempt)
	if err != nil {
		return nil, err
	}
	id := x.ID.String()
	job, queue := keyJob+id, keyQueue+d.o.Queue
	return []redisconn.Call{
		{Script: write, Keys: []string{job}, Args: fields},
		{Script: push, Keys: []string{job, queue}, Args: []any{id, attempt}},
	}, nil
}

// result reads the answers to the calls. That of push says whether the job is
// queued.
func (d *destination) result(ctx context.Context, x *event.Delivery, answers []redis.Cmder) (r modules.Result) {
	for _, a := range answers[:2] {
		if err := a.Err(); err != nil {
			r.Err = d.client.Failure(ctx, err)
			return r
		}
	}
	answer, ok := answers[1].(*redis.Cmd)
	if !ok {
		r.Err = strange(answers)
		return r
	}
	v, _ := answer.Val().([]any)
	switch {
	case len(v) != 2:
		r.Err = strange(answer.Val())
	case v[0] == int64(1):
		r.Receipt.Status = fmt.Sprintf("job %s in the queue %s", x.ID, d.o.Queue)
	case v[1] == "missing":
		// It was run, and forgotten, or deleted, since it was written.
		r.Err = modules.Retry(modules.CodeNotFound, fmt.Errorf("redis: job %s was removed while it was queued", x.ID))
	default:
		r.Receipt.Status = fmt.Sprintf("job %s, queued by an earlier attempt, is %s", x.ID, v[1])
	}
	return r
}

func strange(v any) error {
	return modules.Retry(modules.CodeBadAnswer, fmt.Errorf("redis: the script answered with a %T", v))
}

// Check asks whether the commands of a delivery would be run.
func (d *destination) Check(ctx context.Context) error {
	job, queue := keyJob+"hookd-check", keyQueue+d.o.Queue
	return d.client.MayRun(ctx, map[string]string{keyQueues: "set", queue: "list"},
		redisconn.Command{Words: []any{"sadd", keyQueues, queue}},
		redisconn.Reads("exists", job),
		redisconn.Command{Words: []any{"hset", job, "a", "b"}, Harmless: []any{"hset", job, "a", "b", "a field without a value"}},
		redisconn.Reads("hmget", job, "a"),
		redisconn.Reads("lrange", queue, 0, 0),
		redisconn.Command{Words: []any{"rpush", queue, "x"}},
		redisconn.Reads("evalsha", redisconn.NoScript, 2, job, queue),
		redisconn.Reads("eval", "return 0", 2, job, queue))
}
