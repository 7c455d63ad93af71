package account

import "agentserver/core/db"

// NoTimezone is the time zone of a user who set none.
const NoTimezone = "not-set"

// User is an account as the API shows it.
type User struct {
	ID            string         `json:"id"`
	Email         string         `json:"email"`
	EmailVerified bool           `json:"email_verified"`
	Name          *string        `json:"name"`
	CreatedAt     db.Time        `json:"created_at"`
	UpdatedAt     db.Time        `json:"updated_at"`
	Metadata      map[string]any `json:"metadata"`
	// Integrations and StripeCustomerID are always empty: clients expect the
	// members, and what they once held is not for them.
	Integrations     string       `json:"integrations"`
	StripeCustomerID *string      `json:"stripe_customer_id"`
	TopUpConfig      *TopUpConfig `json:"top_up_config"`
	// MaxEmailsPerDay bounds the mail sent to the user; 0 stops it.
	MaxEmailsPerDay              int    `json:"max_emails_per_day"`
	NotifyOnAgentRun             bool   `json:"notify_on_agent_run"`
	NotifyOnZeroBalance          bool   `json:"notify_on_zero_balance"`
	NotifyOnLowBalance           bool   `json:"notify_on_low_balance"`
	NotifyOnBlockExecutionFailed bool   `json:"notify_on_block_execution_failed"`
	NotifyOnContinuousAgentError bool   `json:"notify_on_continuous_agent_error"`
	NotifyOnDailySummary         bool   `json:"notify_on_daily_summary"`
	NotifyOnWeeklySummary        bool   `json:"notify_on_weekly_summary"`
	NotifyOnMonthlySummary       bool   `json:"notify_on_monthly_summary"`
	Timezone                     string `json:"timezone"`
}

// TopUpConfig says when the balance is filled up by itself, in cents.
type TopUpConfig struct {
	Amount    int `json:"amount"`
	Threshold int `json:"threshold"`
}
