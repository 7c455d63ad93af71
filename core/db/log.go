package db

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"gorm.io/gorm/logger"
)

// slowStatement is when a statement is worth a warning.
const slowStatement = time.Second

// statementLog sends what gorm has to say to slog: its warnings and slow
// statements. Errors of statements are not logged, as they go back to the
// caller; values of parameters never are.
type statementLog struct{ log *slog.Logger }

var _ logger.Interface = statementLog{}

func (s statementLog) LogMode(logger.LogLevel) logger.Interface { return s }

func (s statementLog) Info(ctx context.Context, format string, args ...any) {
	s.log.DebugContext(ctx, "gorm: "+fmt.Sprintf(format, args...))
}

func (s statementLog) Warn(ctx context.Context, format string, args ...any) {
	s.log.WarnContext(ctx, "gorm: "+fmt.Sprintf(format, args...))
}

func (s statementLog) Error(ctx context.Context, format string, args ...any) {
	s.log.ErrorContext(ctx, "gorm: "+fmt.Sprintf(format, args...))
}

func (s statementLog) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), _ error) {
	took := time.Since(begin)
	if took < slowStatement {
		return
	}
	text, rows := statement()
	s.log.WarnContext(ctx, "slow database statement", "took", took.Round(time.Millisecond), "rows", rows, "sql", text)
}

// ParamsFilter keeps the values out of the text that Trace gets.
func (s statementLog) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) {
	return sql, nil
}

// quiet gives a logger for libraries that tell every step: only their warnings
// and errors pass.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(warnings{log.Handler()}) }

type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}
