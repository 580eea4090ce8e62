package admin

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

func (a *api) lanes(c *gin.Context) {
	lanes, err := a.allLanes(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	c.JSON(http.StatusOK, Lanes{Lanes: lanes})
}

func (a *api) pause(c *gin.Context)  { a.steer(c, "lane paused", a.Lanes.Pause) }
func (a *api) resume(c *gin.Context) { a.steer(c, "lane resumed", a.Lanes.Resume) }

func (a *api) steer(c *gin.Context, what string, do func(string) bool) {
	name := c.Param("hook") + "/" + c.Param("destination")
	if !decode(c, &struct{}{}) {
		return
	}
	if !do(name) {
		refuseLane(c, name)
		return
	}
	a.log.InfoContext(c.Request.Context(), "lane steered", "lane", name, "action", what)
	lanes, err := a.allLanes(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	i := slices.IndexFunc(lanes, func(l Lane) bool { return l.Name == name })
	if i < 0 { // a reload took it away in between
		refuseLane(c, name)
		return
	}
	c.JSON(http.StatusOK, lanes[i])
}

// allLanes joins the configured lanes with those that still hold something,
// sorted by name.
func (a *api) allLanes(c *gin.Context) ([]Lane, error) {
	depth, err := a.Store.Depth(c.Request.Context())
	if err != nil {
		return nil, err
	}
	lanes := make([]Lane, 0, len(depth))
	add := func(l Lane) {
		d := depth[l.Name]
		l.Ready, l.Delayed, l.Leased, l.Dead, l.Oldest = d.Ready, d.Delayed, d.Leased, d.Dead, d.Oldest
		lanes = append(lanes, l)
	}
	seen := map[string]bool{}
	for _, s := range a.Lanes.Lanes() {
		seen[s.Name] = true
		if s.Breaker == "" {
			s.Breaker = breakerStates[0]
		}
		add(Lane{Name: s.Name, Hook: s.Hook, Module: s.Module, Paused: s.Paused, Breaker: s.Breaker})
	}
	for name := range depth {
		if !seen[name] {
			hook, _, _ := strings.Cut(name, "/")
			add(Lane{Name: name, Hook: hook})
		}
	}
	slices.SortFunc(lanes, func(x, y Lane) int { return strings.Compare(x.Name, y.Name) })
	return lanes, nil
}

func (a *api) configured(lane string) bool {
	return slices.ContainsFunc(a.Lanes.Lanes(), func(s LaneState) bool { return s.Name == lane })
}
