package account

import "time"

// Audience is what every token must name in its "aud" claim.
const Audience = "authenticated"

// The roles that tokens name in their "role" claim.
const (
	RoleUser  = "authenticated"
	RoleAdmin = "admin"
)

// Identity is who a token speaks for. Everything but UserID may be empty.
//
// IssuedAt is when the token was made, by the clock of its issuer and often cut
// to the second. It is the zero time when the token does not say.
type Identity struct {
	UserID   string
	Email    string
	Name     string
	Role     string
	Phone    string
	IssuedAt time.Time
}

// Admin reports whether the token gives the rights of an administrator.
func (i Identity) Admin() bool { return i.Role == RoleAdmin }
