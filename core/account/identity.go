package account

// Audience is what every token must name in its "aud" claim.
const Audience = "authenticated"

// The roles that tokens name in their "role" claim.
const (
	RoleUser  = "authenticated"
	RoleAdmin = "admin"
)

// Identity is who a token speaks for. Everything but UserID may be empty.
type Identity struct {
	UserID string
	Email  string
	Name   string
	Role   string
	Phone  string
}

// Admin reports whether the token gives the rights of an administrator.
func (i Identity) Admin() bool { return i.Role == RoleAdmin }
