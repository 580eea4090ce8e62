package testinfra

import (
	"errors"
	"fmt"
	"sync"
)

// Names are the servers that Up can start.
func Names() []string {
	names := make([]string, 0, len(recipes()))
	for _, r := range recipes() {
		names = append(names, r.name)
	}
	return names
}

func recipes() []recipe {
	return []recipe{rabbitmq, redis, kafka, mosquitto, activemq, artemis, sqs, s3, postgres, mariadb, clickhouse}
}

// Up starts servers for a person, side by side, and returns those that run. The
// error says why others do not.
func Up(names []string) ([]*Server, error) {
	var (
		wg   sync.WaitGroup
		all  = make([]*Server, len(names))
		errs = make([]error, len(names))
	)
	for i, name := range names {
		wg.Go(func() {
			errs[i] = fmt.Errorf("%s: no such server", name)
			for _, r := range recipes() {
				if r.name == name {
					if all[i], errs[i] = shared(r); errs[i] != nil {
						errs[i] = fmt.Errorf("%s: %w", name, errs[i])
					}
				}
			}
		})
	}
	wg.Wait()
	var up []*Server
	for i, s := range all {
		if errs[i] == nil {
			up = append(up, s)
		}
	}
	return up, errors.Join(errs...)
}

// Connection is an entry of connections.json that leads to the server.
func (s *Server) Connection() map[string]any {
	host, port := Split(s.Addr)
	switch c := map[string]any{"type": s.Name, "host": host, "port": port}; s.Name {
	case "rabbitmq":
		c["user"], c["pass"], c["vhost"] = s.User, s.Password, RabbitVhost
		return c
	case "redis":
		c["type"], c["username"], c["password"] = "redis-rq", s.User, s.Password
		return c
	case "kafka":
		return map[string]any{"type": "kafka", "bootstrap_servers": s.Addr}
	case "mosquitto":
		c["type"], c["username"], c["password"] = "mqtt", s.User, s.Password
		return c
	case "sqs":
		return map[string]any{
			"type": "aws_sqs", "endpoint_url": "http://" + s.Addr, "region": "elasticmq", "access_key_id": "any", "secret_access_key": "any",
		}
	case "s3":
		return map[string]any{
			"type": "s3", "endpoint_url": "http://" + s.Addr, "region": S3Region, "access_key_id": s.User, "secret_access_key": s.Password,
		}
	case "postgres", "mariadb":
		if c["type"] = "postgresql"; s.Name == "mariadb" {
			c["type"] = "mysql"
		}
		c["database"], c["user"], c["password"] = Database, s.User, s.Password
		return c
	case "artemis":
		c["type"] = "activemq"
		return c
	default:
		c["user"], c["password"] = s.User, s.Password
		return c
	}
}
