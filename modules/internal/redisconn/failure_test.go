package redisconn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hookd/hookd/modules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// said is an answer of the server, as go-redis has it.
type said string

func (s said) Error() string { return string(s) }
func (said) RedisError()     {}

// TestRefusals are the texts of Redis 7.0 and, where marked, of other versions
// (src/server.c, src/acl.c, src/script.c, src/networking.c, src/cluster.c).
func TestRefusals(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		kind modules.FailureKind
		code string
	}{
		"NOPERM this user has no permissions to run the 'xadd' command":                                                   {modules.Retryable, modules.CodeAuthFailed},
		"NOPERM this user has no permissions to access one of the keys used as arguments":                                 {modules.Retryable, modules.CodeAuthFailed},
		"ERR The user executing the script can't run this command or subcommand script: ab, on @user_script:2.":           {modules.Retryable, modules.CodeAuthFailed},
		"ERR The user executing the script can't access at least one of the keys mentioned, on @user_script:2.":           {modules.Retryable, modules.CodeAuthFailed},
		"ERR Error running script (call to f_ab): @user_script:2: @user_script: 2: -NOPERM no permissions":                {modules.Retryable, modules.CodeAuthFailed}, // 6.2
		"ERR Error running script (call to f_ab): @user_script:2: -OOM command not allowed when used memory":              {modules.Throttled, CodeMemory},             // 6.2
		"ERR Error running script (call to f_ab): @user_script:2: user_script:2: Script attempted to access NOPERMISSION": {modules.Retryable, CodeError},
		"OOM command not allowed when used memory > 'maxmemory'.":                                                         {modules.Throttled, CodeMemory},
		"OOM command not allowed when used memory > 'maxmemory'. script: ab, on @user_script:5.":                          {modules.Throttled, CodeMemory},
		"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.":                {modules.Throttled, modules.CodeDiskFull},
		"MISCONF Errors writing to the AOF file: No space left on device":                                                 {modules.Throttled, modules.CodeDiskFull},
		"READONLY You can't write against a read only replica.":                                                           {modules.Lost, CodeReadOnly},
		"LOADING Redis is loading the dataset in memory":                                                                  {modules.Lost, modules.CodeUnavailable},
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.":                                {modules.Lost, modules.CodeUnavailable},
		"ERR max number of clients reached":                                                                               {modules.Lost, modules.CodeUnavailable},
		"NOAUTH Authentication required.":                                                                                 {modules.Lost, modules.CodeAuthFailed},
		"WRONGPASS invalid username-password pair or user is disabled.":                                                   {modules.Lost, modules.CodeAuthFailed},
		"ERR invalid password":                         {modules.Lost, modules.CodeAuthFailed}, // 5
		"ERR Client sent AUTH, but no password is set": {modules.Lost, modules.CodeAuthFailed}, // 5
		"ERR AUTH <password> called without any password configured for the default user. Are you sure?": {modules.Lost, modules.CodeAuthFailed},
		"NOREPLICAS Not enough good replicas to write.":                                                  {modules.Retryable, modules.CodeUnavailable},
		"CLUSTERDOWN Hash slot not served":                                                               {modules.Retryable, modules.CodeUnavailable},
		"TRYAGAIN Multiple keys request during rehashing of slot":                                        {modules.Retryable, modules.CodeUnavailable},
		"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.":         {modules.Retryable, modules.CodeUnavailable},
		"CROSSSLOT Keys in request don't hash to the same slot":                                          {modules.Retryable, CodeCluster},
		"MOVED 3999 127.0.0.1:6381":                                                                      {modules.Retryable, CodeCluster},
		"ASK 3999 127.0.0.1:6381":                                                                        {modules.Retryable, CodeCluster},
		"WRONGTYPE Operation against a key holding the wrong kind of value":                              {modules.Retryable, CodeWrongType},
		"ERR Protocol error: invalid bulk length":                                                        {modules.Rejected, modules.CodeTooLarge},
		"ERR Protocol error: too big mbulk count string":                                                 {modules.Rejected, modules.CodeTooLarge},
		"ERR DB index is out of range":                                                                   {modules.Retryable, modules.CodeNotFound},
		"ERR unknown command 'XADD', with args beginning with: 's' '*' 'payload' 'secret' ":              {modules.Retryable, CodeError},
		"": {modules.Retryable, CodeError},
	} {
		f := modules.FailureOf(failure(t.Context(), fmt.Errorf("wrapped: %w", said(text))))
		if f.Kind != want.kind || f.Code != want.code {
			t.Errorf("%q: %s (%s), want %s (%s)", text, f.Kind, f.Code, want.kind, want.code)
		}
		if !modules.KnownCode("redis_stream", f.Code) {
			t.Errorf("%q: unknown code %q", text, f.Code)
		}
		if (f.Kind == modules.Throttled) != (f.After == 5*time.Second) {
			t.Errorf("%q: after %v", text, f.After)
		}
	}
}

// TestNoPayload: an answer that repeats the arguments is cut.
func TestNoPayload(t *testing.T) {
	t.Parallel()
	err := failure(t.Context(), said("ERR unknown command 'XADD', with args beginning with: 's' '*' 'payload' 'secret' "))
	if err.Error() != "ERR unknown command 'XADD'" {
		t.Errorf("%q", err)
	}
}

func TestFailureOfTheConnection(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	c := &Client{addr: "h:1"}
	for _, x := range []struct {
		ctx  context.Context
		err  error
		kind modules.FailureKind
		code string
	}{
		{t.Context(), io.EOF, modules.Lost, modules.CodeConnectionLost},
		{t.Context(), &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, modules.Retryable, modules.CodeTimeout},
		{ended, io.EOF, modules.Retryable, modules.CodeShutdown},
		{ended, said("OOM command"), modules.Throttled, CodeMemory}, // an answer is an answer
		{t.Context(), modules.Reject("refused", io.EOF), modules.Rejected, "refused"},
	} {
		err := c.Failure(x.ctx, x.err)
		if f := modules.FailureOf(err); f.Kind != x.kind || f.Code != x.code {
			t.Errorf("%v: %s (%s)", x.err, f.Kind, f.Code)
		}
		if x.kind == modules.Retryable && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v does not wrap the context's error", err)
		}
	}
}
