package graph

// Indexed makes a version that was not loaded ready for checks.
func (v *Version) Indexed() *Version { return v.index() }
