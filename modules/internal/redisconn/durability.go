package redisconn

import (
	"context"
	"log/slog"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/hookd/hookd/modules"
)

// OpenStore opens a connection of a module that stores, and warns in the log of
// what may make the server lose what it took.
func OpenStore(ctx context.Context, env modules.Env, config *Connection) (*Client, error) {
	c, err := Open(ctx, env, config)
	if err != nil {
		return nil, err
	}
	for _, why := range c.mayLose(ctx) {
		env.Log.Warn("redis may lose what it takes", slog.String("addr", c.addr), slog.String("reason", why))
	}
	return c, nil
}

// mayLose reads the server's settings as far as INFO shows them, without the
// right to which nothing is known.
func (c *Client) mayLose(ctx context.Context) []string {
	cmds, err := c.Run(ctx, func(p redis.Pipeliner) {
		p.Info(ctx, "memory")
		p.Info(ctx, "persistence")
	})
	if err != nil {
		return nil
	}
	facts := make(map[string]string)
	for _, cmd := range cmds {
		info, ok := cmd.(*redis.StringCmd)
		if !ok || info.Err() != nil {
			continue
		}
		for line := range strings.Lines(info.Val()) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			facts[name] = value
		}
	}
	var all []string
	if facts["maxmemory"] != "0" && strings.HasPrefix(facts["maxmemory_policy"], "allkeys-") {
		all = append(all, "when memory is full it removes keys: maxmemory-policy is "+facts["maxmemory_policy"]+", not noeviction")
	}
	if facts["aof_enabled"] == "0" {
		all = append(all, "it keeps no append-only file (appendonly no): a crash takes what came after the last snapshot")
	}
	return all
}
