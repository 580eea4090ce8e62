package config_test

import (
	"errors"
	"strings"

	"github.com/hookd/hookd/internal/config"
	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
)

// The fakes have the shapes that real modules and proofs have.

type logOptions struct {
	Pretty bool
	Redact bool
}

func (o *logOptions) Fields() spec.Fields {
	return spec.Fields{
		spec.Bool(&o.Pretty, "pretty_print").Doc("Indent."),
		spec.Bool(&o.Redact, "redact_sensitive").Default(true).Doc("Mask."),
		spec.Ignored("level", "the daemon has one level."),
	}
}

type httpOptions struct {
	URL     string
	Method  string
	Headers map[string]secret.String
	Allowed []string
}

func (o *httpOptions) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.URL, "url").Required().Doc("Where to."),
		spec.Enum(&o.Method, "method", "POST", "PUT", "PATCH").Default("POST").Doc("How."),
		spec.SecretMap(&o.Headers, "headers").Doc("More headers."),
		spec.Strings(&o.Allowed, "allowed_hosts").Doc("Hosts."),
	}
}

// socketOptions may say by themselves what a connection says.
type socketOptions struct{ URL string }

func (o *socketOptions) Fields() spec.Fields {
	return spec.Fields{spec.String(&o.URL, "url").Doc("Where to.")}
}

func (o *socketOptions) Standalone() bool { return o.URL != "" }

type socketConn struct{ URL string }

func (o *socketConn) Fields() spec.Fields {
	return spec.Fields{spec.String(&o.URL, "url").Required().Doc("Where to.")}
}

type topicOptions struct{ Topic, Key string }

func (o *topicOptions) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.Topic, "topic").Required().Check(func(s string) error {
			if strings.Contains(s, " ") {
				return errors.New("must not hold a space")
			}
			return nil
		}).Doc("Topic."),
		spec.String(&o.Key, "key").Doc("Key."),
	}
}

type kafkaConn struct {
	Servers  []string
	Password secret.String
}

func (c *kafkaConn) Fields() spec.Fields {
	return spec.Fields{
		spec.Strings(&c.Servers, "bootstrap_servers").Default([]string{"localhost:9092"}).Doc("Brokers."),
		spec.Secret(&c.Password, "password").Doc("Password."),
	}
}

type queueOptions struct{ Queue string }

func (o *queueOptions) Fields() spec.Fields {
	return spec.Fields{spec.String(&o.Queue, "queue_name").Alias("queue").Required().Doc("Queue.")}
}

type hostConn struct {
	Host     string
	Port     int
	User     string
	Password secret.String
}

func (c *hostConn) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&c.Host, "host").Required().Doc("Host."),
		spec.Int(&c.Port, "port").Default(5672).Range(1, 65535).Doc("Port."),
		spec.String(&c.User, "user").Alias("username").Default("guest").Doc("User."),
		spec.Secret(&c.Password, "pass").Alias("password").Doc("Password."),
	}
}

type redisConn struct {
	Host string
	Port int
}

func (c *redisConn) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&c.Host, "host").Default("localhost").Doc("Host."),
		spec.Int(&c.Port, "port").Default(6379).Doc("Port."),
	}
}

type channelOptions struct {
	Channel string
	Allowed []string
}

func (o *channelOptions) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.Channel, "channel").Default("webhook_events").Doc("Channel."),
		spec.Strings(&o.Allowed, "allowed_hosts").Doc("Hosts."),
	}
}

type rqOptions struct{ Function, Queue string }

func (o *rqOptions) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&o.Function, "function").Required().Doc("Function."),
		spec.String(&o.Queue, "queue_name").Default("default").Doc("Queue."),
	}
}

type hmacOptions struct {
	Secrets   []secret.String
	Header    string
	Algorithm string
}

func (o *hmacOptions) Fields() spec.Fields {
	return spec.Fields{
		spec.Secrets(&o.Secrets, "secret").Required().Doc("Secret."),
		spec.String(&o.Header, "header").Default("X-HMAC-Signature").Doc("Header."),
		spec.Enum(&o.Algorithm, "algorithm", "sha256", "sha1", "sha512").Default("sha256").Doc("Hash."),
	}
}

type authorizationOptions struct{ Value secret.String }

func (o *authorizationOptions) Fields() spec.Fields {
	return spec.Fields{spec.Secret(&o.Value, "value").Required().Doc("Value.")}
}

func (o *authorizationOptions) Inline() spec.Field { return spec.Secret(&o.Value, "value") }

type ipOptions struct{ Allow []string }

func (o *ipOptions) Fields() spec.Fields {
	return spec.Fields{spec.Strings(&o.Allow, "allow").Required().Doc("Addresses.")}
}

func (o *ipOptions) Inline() spec.Field { return spec.Strings(&o.Allow, "allow") }

func catalog() config.Catalog {
	return config.Catalog{
		Modules: []config.ModuleSpec{
			{Name: "log", Options: func() spec.Described { return &logOptions{} }},
			{Name: "http_webhook", Options: func() spec.Described { return &httpOptions{} }},
			{
				Name: "socket", ConnectionTypes: []string{"socket"},
				Options:    func() spec.Described { return &socketOptions{} },
				Connection: func() spec.Described { return &socketConn{} },
			},
			{
				Name: "kafka", ConnectionTypes: []string{"kafka"},
				Options:    func() spec.Described { return &topicOptions{} },
				Connection: func() spec.Described { return &kafkaConn{} },
			},
			{
				Name: "rabbitmq", Aliases: []string{"amqp"}, ConnectionTypes: []string{"rabbitmq"},
				Options:    func() spec.Described { return &queueOptions{} },
				Connection: func() spec.Described { return &hostConn{} },
			},
			{
				Name: "redis_rq", ConnectionTypes: []string{"redis-rq", "redis"},
				Options:    func() spec.Described { return &rqOptions{} },
				Connection: func() spec.Described { return &hostConn{} },
			},
			{
				Name: "redis_publish", ConnectionTypes: []string{"redis-publish", "redis"},
				Options:    func() spec.Described { return &channelOptions{} },
				Connection: func() spec.Described { return &redisConn{} },
			},
		},
		Auth: []config.AuthSpec{
			{Name: "authorization", Options: func() spec.Described { return &authorizationOptions{} }},
			{Name: "hmac", Options: func() spec.Described { return &hmacOptions{} }},
			{Name: "ip_whitelist", Options: func() spec.Described { return &ipOptions{} }},
		},
		Providers: []string{"github", "stripe", "gitlab", "dockerhub"},
		Unsigned:  []string{"dockerhub"},
	}
}
