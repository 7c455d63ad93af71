// Package preset keeps inputs of agents that users have saved: to run the agent
// with them by hand, or, for an agent that begins with a trigger, whenever its
// webhook gets an event.
package preset
