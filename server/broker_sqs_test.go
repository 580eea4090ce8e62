package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hookd/hookd/internal/testinfra"
)

func sqsFarEnd(t *testing.T) farEnd {
	s := testinfra.SQS(t)
	t.Logf("ElasticMQ %s, read back with boto3", s.Version)
	peer := testinfra.NewPeer(t, "boto3", "../modules/aws_sqs/testdata/peer.py", "http://"+s.Addr, "elasticmq")
	queue := strings.ReplaceAll(testinfra.Unique(t), ".", "-")
	do := func(op string) []string {
		line, err := json.Marshal([]string{op, queue})
		if err != nil {
			t.Fatal(err)
		}
		return peer.Ask(string(line))
	}
	do("create")
	return farEnd{
		module: "aws_sqs",
		addr:   s.Addr,
		connection: func(addr string) string {
			return fmt.Sprintf(`{"access_key_id": "any", "secret_access_key": "any", "region": "elasticmq", "endpoint_url": "http://%s"}`, addr)
		},
		options: fmt.Sprintf(`{"queue_name": %q}`, queue),
		ids:     func() []string { return do("ids") },
		kill:    func() { s.Kill(t); s.Start(t) },
		restart: func() { s.Restart(t) }, // also by SIGKILL: see testinfra
	}
}
