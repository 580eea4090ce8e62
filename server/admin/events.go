package admin

import (
	"encoding/base64"
	"net/http"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/hookd/hookd/internal/queue"
)

// shownBody is the largest body within the JSON of an event, in bytes.
const shownBody = 1 << 20

func (a *api) events(c *gin.Context) {
	f, cursor, limit, ok := listQuery(c)
	if !ok {
		return
	}
	p, err := a.Store.List(c.Request.Context(), f, cursor, limit)
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, page(p))
}

func (a *api) event(c *gin.Context) {
	id, ok := idParameter(c)
	if !ok {
		return
	}
	rec, err := a.Store.Get(c.Request.Context(), id)
	if err != nil {
		a.fail(c, err)
		return
	}
	d := EventDetail{Event: summary(rec), Query: rec.Event.Query, Headers: rec.Event.Header, BodyEncoding: "text"}
	if d.Headers == nil {
		d.Headers = http.Header{}
	}
	switch body := rec.Event.Body; {
	case len(body) > shownBody:
		d.BodyOmitted = true
	case utf8.Valid(body):
		d.Body = string(body)
	default:
		d.Body, d.BodyEncoding = base64.StdEncoding.EncodeToString(body), "base64"
	}
	c.JSON(http.StatusOK, d)
}

// eventBody sends the body as a download: whatever it claims to be, no browser
// shall show it under this origin.
func (a *api) eventBody(c *gin.Context) {
	id, ok := idParameter(c)
	if !ok {
		return
	}
	rec, err := a.Store.Get(c.Request.Context(), id)
	if err != nil {
		a.fail(c, err)
		return
	}
	c.Header("Content-Disposition", `attachment; filename="event-`+id.String()+`.bin"`)
	c.Header("Content-Security-Policy", "sandbox; default-src 'none'")
	c.Data(http.StatusOK, "application/octet-stream", rec.Event.Body)
}

func (a *api) dead(c *gin.Context) {
	f, cursor, limit, ok := listQuery(c)
	if !ok {
		return
	}
	f.Status = ""
	p, err := a.Store.Dead(c.Request.Context(), f, cursor, limit)
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, page(p))
}

func page(p queue.Page) EventPage {
	out := EventPage{Events: make([]Event, 0, len(p.Records)), Next: p.Next}
	for _, rec := range p.Records {
		out.Events = append(out.Events, summary(rec))
	}
	return out
}

func summary(rec queue.Record) Event {
	ev := Event{
		ID: rec.Event.ID, Hook: rec.Event.Hook, Type: rec.Event.Type, Received: rec.Event.Received,
		Subject: rec.Event.Subject, Size: rec.Size, Deliveries: make([]Delivery, 0, len(rec.Deliveries)),
	}
	if rec.Event.Remote.IsValid() {
		ev.Remote = rec.Event.Remote.String()
	}
	for _, d := range rec.Deliveries {
		ev.Deliveries = append(ev.Deliveries, Delivery{
			ID: d.ID, Lane: d.Lane, Status: string(d.Status), Attempts: d.Attempts,
			Updated: d.Updated, NextTry: d.NextTry, Code: d.Code, Note: d.Note,
		})
	}
	return ev
}
