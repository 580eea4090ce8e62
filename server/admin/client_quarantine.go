package admin

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/hookd/hookd/internal/event"
	"github.com/hookd/hookd/server/explain"
)

const quarantinePath = "/api/v1/quarantine"

// Quarantine lists refused requests, newest first. A limit of 0 is 50; the most
// is 1000.
func (c *Client) Quarantine(ctx context.Context, f QuarantineFilter, cursor string, limit int) (QuarantinePage, error) {
	q := Filter{Hook: f.Hook, Since: f.Since, Until: f.Until}.values(cursor, limit)
	if f.Code != "" {
		q.Set("code", f.Code)
	}
	return get[QuarantinePage](ctx, c, quarantinePath, q)
}

// Quarantined reads one refused request, without its body.
func (c *Client) Quarantined(ctx context.Context, id event.ID) (QuarantineDetail, error) {
	return get[QuarantineDetail](ctx, c, quarantinePath+"/"+id.String(), nil)
}

// QuarantinedBody reads the body of a refused request, byte for byte.
func (c *Client) QuarantinedBody(ctx context.Context, id event.ID) ([]byte, error) {
	res, err := c.do(ctx, http.MethodGet, quarantinePath+"/"+id.String()+"/body", nil, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	return io.ReadAll(io.LimitReader(res.Body, answerLimit))
}

// Explain asks why a request was refused. It may take some seconds.
func (c *Client) Explain(ctx context.Context, id event.ID) (explain.Report, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	return post[explain.Report](ctx, c, quarantinePath+"/"+id.String()+"/explain", struct{}{})
}

// QuarantineRetry has refused requests checked again.
func (c *Client) QuarantineRetry(ctx context.Context, q QuarantineRetry) (QuarantineRetried, error) {
	return post[QuarantineRetried](ctx, c, quarantinePath+"/retry", q)
}

// QuarantinePurge removes refused requests.
func (c *Client) QuarantinePurge(ctx context.Context, q QuarantinePurge) (QuarantinePurged, error) {
	return post[QuarantinePurged](ctx, c, quarantinePath+"/purge", q)
}
