package preset_test

import (
	"testing"

	"agentserver/core/db"
	"agentserver/core/db/dbtest"
	"agentserver/core/preset"
)

func TestModels(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) { dbtest.CheckModels(t, d, preset.Models()...) })
}
