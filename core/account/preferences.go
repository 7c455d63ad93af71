package account

import (
	"context"
	"maps"
	"slices"

	"agentserver/core/db"
)

// NotificationType is a reason to send mail to a user.
type NotificationType string

// The reasons. A user cannot turn off those about refunds.
const (
	AgentRun             NotificationType = "AGENT_RUN"
	ZeroBalance          NotificationType = "ZERO_BALANCE"
	LowBalance           NotificationType = "LOW_BALANCE"
	BlockExecutionFailed NotificationType = "BLOCK_EXECUTION_FAILED"
	ContinuousAgentError NotificationType = "CONTINUOUS_AGENT_ERROR"
	DailySummary         NotificationType = "DAILY_SUMMARY"
	WeeklySummary        NotificationType = "WEEKLY_SUMMARY"
	MonthlySummary       NotificationType = "MONTHLY_SUMMARY"
	RefundRequest        NotificationType = "REFUND_REQUEST"
	RefundProcessed      NotificationType = "REFUND_PROCESSED"
	AgentApproved        NotificationType = "AGENT_APPROVED"
	AgentRejected        NotificationType = "AGENT_REJECTED"
)

// preferenceColumns are where the answers stand; a type without a column is
// accepted and not kept.
var preferenceColumns = map[NotificationType]string{
	AgentRun:             "notify_on_agent_run",
	ZeroBalance:          "notify_on_zero_balance",
	LowBalance:           "notify_on_low_balance",
	BlockExecutionFailed: "notify_on_block_execution_failed",
	ContinuousAgentError: "notify_on_continuous_agent_error",
	DailySummary:         "notify_on_daily_summary",
	WeeklySummary:        "notify_on_weekly_summary",
	MonthlySummary:       "notify_on_monthly_summary",
	RefundRequest:        "",
	RefundProcessed:      "",
	AgentApproved:        "notify_on_agent_approved",
	AgentRejected:        "notify_on_agent_rejected",
}

// NotificationPreference is what mail a user wants.
type NotificationPreference struct {
	UserID      string                    `json:"user_id"`
	Email       string                    `json:"email"`
	Preferences map[NotificationType]bool `json:"preferences"`
	// DailyLimit is the most mail per day; 0 stops all.
	DailyLimit      int     `json:"daily_limit"`
	EmailsSentToday int     `json:"emails_sent_today"`
	LastResetDate   db.Time `json:"last_reset_date"`
}

// NotificationPreferenceDTO is a change of preferences. Types that are not
// named stay as they are.
type NotificationPreferenceDTO struct {
	Email       string                    `json:"email" required:"true"`
	Preferences map[NotificationType]bool `json:"preferences" required:"true"`
	DailyLimit  int                       `json:"daily_limit" required:"true"`
}

// Preferences gives what is stored, or an error of kind core.NotFound.
func (s *Service) Preferences(ctx context.Context, userID string) (*NotificationPreference, error) {
	r, err := s.row(ctx, userID)
	if err != nil {
		return nil, err
	}
	return r.preferences(), nil
}

// SetPreferences changes the preferences and the address of a user and gives
// what is stored then. The kind of the error is core.Unprocessable for an
// unknown type, a negative limit or what is not an address, core.Conflict when
// another account has the address, and core.NotFound; nothing changes then.
func (s *Service) SetPreferences(ctx context.Context, userID string, p NotificationPreferenceDTO) (*NotificationPreference, error) {
	if !validEmail(p.Email) {
		return nil, invalidInput("value_error", emailProblem, p.Email, "body", "email")
	}
	if p.DailyLimit < 0 {
		return nil, invalidInput("greater_than_equal", "Input should be greater than or equal to 0", p.DailyLimit, "body", "daily_limit")
	}
	columns := map[string]any{"max_emails_per_day": p.DailyLimit}
	for _, kind := range slices.Sorted(maps.Keys(p.Preferences)) {
		column, known := preferenceColumns[kind]
		if !known {
			return nil, invalidInput("enum", "Unknown notification type", kind, "body", "preferences", kind, "[key]")
		}
		if column != "" {
			columns[column] = p.Preferences[kind]
		}
	}
	r, err := s.row(ctx, userID)
	if err != nil {
		return nil, err
	}
	if p.Email != r.Email {
		columns["email"] = p.Email
		columns["email_verified"] = false
	}
	if err := s.change(ctx, userID, columns); err != nil {
		return nil, err
	}
	return s.Preferences(ctx, userID)
}

func (r *row) preferences() *NotificationPreference {
	return &NotificationPreference{
		UserID: r.ID, Email: r.Email, DailyLimit: r.MaxEmailsPerDay, LastResetDate: db.Now(),
		Preferences: map[NotificationType]bool{
			AgentRun: r.NotifyOnAgentRun, ZeroBalance: r.NotifyOnZeroBalance, LowBalance: r.NotifyOnLowBalance,
			BlockExecutionFailed: r.NotifyOnBlockExecutionFailed, ContinuousAgentError: r.NotifyOnContinuousAgentError,
			DailySummary: r.NotifyOnDailySummary, WeeklySummary: r.NotifyOnWeeklySummary,
			MonthlySummary: r.NotifyOnMonthlySummary, AgentApproved: r.NotifyOnAgentApproved,
			AgentRejected: r.NotifyOnAgentRejected,
		},
	}
}
