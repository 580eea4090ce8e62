package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/hookd/hookd/internal/testinfra"
)

// s3FarEnd is a bucket; more are further options.
func s3FarEnd(more string) func(t *testing.T) farEnd {
	return func(t *testing.T) farEnd {
		server := testinfra.S3(t)
		t.Logf("Versity S3 Gateway %s, read back with boto3", server.Version)
		peer := testinfra.NewPeer(t, "boto3", "../modules/s3/testdata/peer.py", "http://"+server.Addr, testinfra.S3Region, server.User, server.Password)
		bucket := strings.ReplaceAll(testinfra.Unique(t), ".", "-")
		do := func(op string) []string { return peer.Ask(fmt.Sprintf(`[%q, %q]`, op, bucket)) }
		do("create")
		return farEnd{
			module: "s3",
			addr:   server.Addr,
			connection: func(addr string) string {
				return fmt.Sprintf(`{"access_key_id": %q, "secret_access_key": %q, "region": %q, "endpoint_url": "http://%s"}`,
					server.User, server.Password, testinfra.S3Region, addr)
			},
			options: fmt.Sprintf(`{"bucket": %q%s}`, bucket, more),
			ids:     func() []string { return do("ids") },
			kill:    func() { server.Kill(t); server.Start(t) },
			restart: func() { server.Restart(t) },
			inLoop: func(n int) {
				transport := &http.Transport{}
				defer transport.CloseIdleConnections()
				client := s3.New(s3.Options{
					HTTPClient: &http.Client{Transport: transport},
					Region:     testinfra.S3Region, BaseEndpoint: aws.String("http://" + server.Addr), UsePathStyle: true,
					Credentials: credentials.NewStaticCredentialsProvider(server.User, server.Password, ""),
				})
				body := strings.Repeat("x", 1520) // as the sender's
				for i := range n {
					_, err := client.PutObject(t.Context(), &s3.PutObjectInput{
						Bucket: &bucket, Key: aws.String(fmt.Sprintf("loop/%d", i)), Body: strings.NewReader(body),
					})
					if err != nil {
						t.Fatal(err)
					}
				}
			},
		}
	}
}
