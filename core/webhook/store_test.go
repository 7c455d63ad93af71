package webhook_test

import (
	"testing"

	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/webhook"
)

func TestModels(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { dbtest.CheckModels(t, d, webhook.Models()...) })
}
