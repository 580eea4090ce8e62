// Package awsconn is what the modules that speak to AWS have in common: where
// credentials come from, how requests pass the guard, and what their failures
// mean.
package awsconn

import (
	"errors"
	"net/url"

	"github.com/hookd/hookd/internal/secret"
	"github.com/hookd/hookd/internal/spec"
	"github.com/hookd/hookd/modules/internal/link"
)

const defaultRegion = "us-east-1"

// Connection describes an account and where it is reached. A module embeds it
// and may add fields of its own.
type Connection struct {
	KeyID      string
	Key        secret.String
	Token      secret.String
	Region     string
	Endpoint   url.URL
	Profile    string
	Role       string
	ExternalID secret.String
	Metadata   bool
	TLS        link.TLS
}

// Fields lists the settings.
func (c *Connection) Fields() spec.Fields {
	return spec.Fields{
		spec.String(&c.KeyID, "aws_access_key_id").Alias("access_key_id").
			Doc("Access key. Without it credentials come from the environment, the shared files, a web identity or a container, as in all AWS tools."),
		spec.OptionalSecret(&c.Key, "aws_secret_access_key").Alias("secret_access_key").Doc("Secret of the access key."),
		spec.OptionalSecret(&c.Token, "aws_session_token").Alias("session_token").Advanced().Doc("Token that belongs to a temporary access key."),
		spec.String(&c.Region, "region_name").Alias("region").Example("eu-central-1").
			Doc("Region. When absent, that of the environment or the profile where the credentials come from there, else `us-east-1`."),
		spec.URL(&c.Endpoint, "endpoint_url").Alias("endpoint").Check(checkEndpoint).
			Doc("Where to connect, instead of the region's own address: an interface endpoint, or an emulator."),
		spec.String(&c.Profile, "profile").Advanced().Doc("Profile of the shared configuration files."),
		spec.String(&c.Role, "role_arn").Example("arn:aws:iam::123456789012:role/hookd").Advanced().Doc("Role to assume with the credentials."),
		spec.Secret(&c.ExternalID, "external_id").Advanced().Doc("External id that the role asks for."),
		spec.Bool(&c.Metadata, "instance_metadata").Default(false).Advanced().
			Doc("Take credentials from the metadata service of the machine or the container. It opens that service's address, which hookd otherwise never connects to."),
		c.TLS.Field("tls").Advanced(),
	}
}

// Validate looks at the settings together.
func (c *Connection) Validate() []spec.Issue {
	var issues []spec.Issue
	add := func(field, message string) { issues = append(issues, spec.Issue{Field: field, Message: message}) }
	keys := c.KeyID != "" || !c.Key.IsZero()
	switch {
	case keys && (c.KeyID == "" || c.Key.IsZero()):
		add("aws_access_key_id", "aws_access_key_id and aws_secret_access_key go together")
	case !c.Token.IsZero() && !keys:
		add("aws_session_token", "needs aws_access_key_id and aws_secret_access_key")
	case keys && c.Profile != "":
		add("profile", "and an access key are both there: remove one")
	}
	if !c.ExternalID.IsZero() && c.Role == "" {
		add("external_id", "needs role_arn")
	}
	if c.TLS.On() && c.Endpoint.Scheme == "http" {
		add("tls", "needs an https endpoint_url")
	}
	return issues
}

// AllowedHosts opens the metadata services where that is asked for.
func (c *Connection) AllowedHosts() []string {
	if !c.Metadata {
		return nil
	}
	return []string{"169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"}
}

func checkEndpoint(u url.URL) error {
	if u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" {
		return errors.New("is not an http or https URL without a query")
	}
	return nil
}
