package redisconn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hookd/hookd/modules"
	"github.com/hookd/hookd/modules/internal/link"
)

// The codes of Redis alone.
const (
	CodeMemory    = "redis_oom"
	CodeReadOnly  = "redis_readonly"
	CodeWrongType = "redis_wrongtype"
	CodeCluster   = "redis_cluster"
	CodeError     = "redis_error"
)

// pause is how long a server that can store nothing is left alone.
const pause = 5 * time.Second

// Failure says what the error of a command means: an answer of the server, or
// the end of the connection. One that is classified already stays as it is.
func (c *Client) Failure(ctx context.Context, err error) error {
	var f *modules.Failure
	if errors.As(err, &f) {
		return err
	}
	return c.name(failure(ctx, err))
}

func failure(ctx context.Context, err error) error {
	switch {
	case isReply(err):
		return refusal(err)
	case ctx.Err() != nil:
		return link.Ended(ctx, err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		// Of the context: the socket may know it a moment sooner.
		return modules.Retry(modules.CodeTimeout, errors.Join(err, context.DeadlineExceeded))
	}
	return modules.Disconnect(fmt.Errorf("connection lost: %w", err))
}

// isReply reports an error that the server answered.
func isReply(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}

// isCode reports an answer with the code, its first word.
func isCode(err error, code string) bool { return isReply(err) && codeOf(textOf(err)) == code }

// textOf is what the server said. An unknown command is repeated with its
// arguments, among them the payload: these are cut off.
func textOf(err error) string {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return err.Error()
	}
	text, _, _ := strings.Cut(reply.Error(), ", with args beginning with")
	return text
}

// codeOf is the first word of an answer. An error within a script may be wrapped
// into one of the script (before version 7), and that of a missing right has no
// code there before version 7.2.
func codeOf(text string) string {
	code, rest, _ := strings.Cut(text, " ")
	if code != "ERR" || !strings.Contains(rest, "user_script") {
		return code
	}
	if strings.Contains(rest, "user executing the script can't") {
		return "NOPERM"
	}
	words := strings.FieldsFunc(rest, func(r rune) bool { return r < 'A' || r > 'Z' })
	for _, inner := range []string{"NOPERM", "OOM", "READONLY", "WRONGTYPE", "MISCONF", "NOREPLICAS"} {
		if slices.Contains(words, inner) {
			return inner
		}
	}
	return code
}

// refusal says what it means that the server said no. What an operator may cure,
// rights among it, is tried again, and so is what is about the server and not
// about the message.
func refusal(err error) error {
	text := textOf(err)
	said := errors.New(text)
	switch code := codeOf(text); code {
	case "NOPERM":
		return modules.Retry(modules.CodeAuthFailed, said)
	case "NOAUTH", "WRONGPASS":
		return lost(modules.CodeAuthFailed, said)
	case "READONLY":
		// After a failover the name may lead to another server.
		return lost(CodeReadOnly, said)
	case "LOADING", "MASTERDOWN":
		return lost(modules.CodeUnavailable, said)
	case "OOM":
		return modules.Throttle(CodeMemory, pause, said)
	case "MISCONF":
		return modules.Throttle(modules.CodeDiskFull, pause, said)
	case "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "UNKILLABLE":
		return modules.Retry(modules.CodeUnavailable, said)
	case "CROSSSLOT", "MOVED", "ASK":
		return modules.Retry(CodeCluster, fmt.Errorf("%w: a cluster, whose nodes hookd does not choose between", said))
	case "WRONGTYPE":
		return modules.Retry(CodeWrongType, said)
	default:
		return other(text, said)
	}
}

// other are the errors without a code of their own.
func other(text string, said error) error {
	has := func(s string) bool { return strings.Contains(text, s) }
	switch {
	case has("max number of clients"):
		return lost(modules.CodeUnavailable, said)
	case has("invalid bulk length"), has("too big"), has("exceeds maximum allowed size"):
		return modules.Reject(modules.CodeTooLarge, said)
	case has("AUTH"), has("invalid password"):
		return lost(modules.CodeAuthFailed, said)
	case has("DB index"):
		return modules.Retry(modules.CodeNotFound, said)
	}
	return modules.Retry(CodeError, said)
}

// lost is a failure that another connection may cure.
func lost(code string, err error) error {
	return &modules.Failure{Kind: modules.Lost, Code: code, Err: err}
}

// Doc are the rows that all modules have in the table of what a failure means.
const Doc = `| has no memory left (` + "`OOM`" + `) | tried again, ` + "`redis_oom`" + `, after 5 s at the soonest |
| cannot write to its disk (` + "`MISCONF`" + `) | tried again, ` + "`disk_full`" + `, after 5 s at the soonest |
| is a replica (` + "`READONLY`" + `), loads its data (` + "`LOADING`" + `), takes no more connections, or is gone | connected anew, then tried again |
| does not let hookd in (` + "`NOAUTH`, `WRONGPASS`" + `) | tried again without using attempts up, ` + "`auth_failed`" + ` |
| refuses for want of rights (` + "`NOPERM`" + `) | tried again, ` + "`auth_failed`" + `: an operator can give them, and nothing is lost meanwhile |
| finds the message too large | dead letter at once, ` + "`too_large`" + ` |
| is a cluster and sends elsewhere (` + "`MOVED`, `CROSSSLOT`" + `) | tried again, ` + "`redis_cluster`" + `: hookd speaks to one server |
| says anything else | tried again, ` + "`redis_error`" + ` |
`
