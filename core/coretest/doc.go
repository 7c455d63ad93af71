// Package coretest is the kit that every provider must pass.
//
// A provider's test is one call:
//
//	func TestProvider(t *testing.T) { coretest.Run(t, provider) }
//
// It checks the provider's declaration and then runs every block against the
// vectors in testdata/<BlockName>.json: a list of [Vector]s. A block without a
// vector fails the test, unless it is disabled.
//
// Vectors come from the vendor's API documentation, never from our own output.
// An exchange gives the request that the block must send and the answer it
// gets; the kit plays them in order over a scripted transport and fails on
// any other request.
//
// A provider with webhooks has testdata/webhook.json, see [WebhookVectors]. From
// each genuine delivery the kit derives forgeries, replays and bodies that no
// vendor sends, and it looks for secrets where users would see them.
package coretest
