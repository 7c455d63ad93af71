// Command agentserver is a platform server for agents in one binary.
package main

func main() {}
