package platform

import (
	"path/filepath"

	"agentserver/config"
	"agentserver/core/workspace"
)

// openFiles makes the files of blocks.
func openFiles(c *config.Config, o *outbound) (*workspace.Files, error) {
	temp := c.Files.TempDir
	if temp == "" {
		temp = filepath.Join(c.DataDir, "tmp")
	}
	return workspace.OpenFiles(workspace.Options{
		HTTP: o.files, TempDir: temp, MaxFile: int64(c.Files.MaxFile), MaxRun: int64(c.Files.MaxRunTemp),
	})
}
