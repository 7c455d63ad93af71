package platform

import (
	"context"
	"path/filepath"

	"agentserver/core/workspace"
)

// openFiles makes the workspaces of users and the files of blocks.
func (p *Platform) openFiles(ctx context.Context) (err error) {
	c := p.Config.Files
	if p.bucket, err = workspace.OpenBucket(ctx, c.URL.Reveal(), filepath.Join(p.Config.DataDir, "files")); err != nil {
		return err
	}
	p.Workspace = workspace.NewService(workspace.Deps{
		DB: p.DB, Bucket: p.bucket, Log: p.Log, Scanner: workspace.NewScanner(c.ClamAV), MaxStorage: int64(c.MaxStorage),
	})
	temp := c.TempDir
	if temp == "" {
		temp = filepath.Join(p.Config.DataDir, "tmp")
	}
	p.Files, err = workspace.OpenFiles(workspace.Options{
		HTTP: p.outbound.files, Service: p.Workspace, TempDir: temp, MaxFile: int64(c.MaxFile), MaxRun: int64(c.MaxRunTemp),
	})
	return err
}
