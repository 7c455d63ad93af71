// Package config holds every setting of the server: its name, type, default,
// meaning and sources are declared once, as a tagged field of [Config] or of a
// provider's settings struct, and everything else is derived from there.
//
// # Where a value comes from
//
// The first of these that has the setting wins:
//
//  1. a command line flag;
//  2. the environment, AGENTSERVER_ and the key in upper case with "_" for
//     ".": AGENTSERVER_DATABASE_URL is database.url;
//  3. the names that deployments of the AutoGPT Platform use, such as
//     DATABASE_URL, unless empty;
//  4. the file: agentserver.yaml in the working directory, or the one named by
//     --config or AGENTSERVER_CONFIG;
//  5. the default.
//
// Unknown keys in the file and unknown AGENTSERVER_ variables are errors, so a
// misspelt setting never passes silently.
//
// # Tags
//
//	key      name, below the keys of the structs around it
//	doc      one sentence for people; on a struct, the title of its section
//	default  as it would stand in the environment; absent: empty or zero
//	env      other variables that set it, comma separated, first non-empty
//	         wins; names joined by "+" are read together (see combine)
//	secret   "true" hides the value wherever it is shown; implied by core.Secret
//	oneof    allowed values, separated by spaces; case does not matter
//	min, max bounds of numbers and durations, inclusive
//
// Types are string, core.Secret, bool, int, float64, time.Duration, []string
// and []core.Secret.
package config
