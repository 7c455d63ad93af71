package platform

import "context"

// Health is the state of what the process depends on: "ok", or what is wrong.
type Health struct {
	Status   string `json:"status"`
	Database string `json:"database"`
	Queue    string `json:"queue"`
	Bus      string `json:"bus"`
}

// Check asks each dependency. It reports false when one does not answer.
func (p *Platform) Check(ctx context.Context) (Health, bool) {
	h := Health{Status: "healthy", Database: "ok", Queue: "ok", Bus: "ok"}
	note := func(place *string, err error) {
		if err != nil {
			p.Log.Error("health check failed", "error", err)
			*place, h.Status = "not working", "unhealthy"
		}
	}
	note(&h.Database, p.DB.Ping(ctx))
	note(&h.Bus, p.Bus.Ping(ctx))
	note(&h.Queue, p.Executions.Check(ctx))
	return h, h.Status == "healthy"
}
