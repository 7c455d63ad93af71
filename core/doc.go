// Package core is the contract that providers are written against: blocks,
// credentials, managed credentials, webhooks and language models.
//
// # The life of a provider
//
//  1. Its package calls [Register] from init with a [Provider] that is pure
//     data: no network, files, environment or logging happens there.
//  2. Registration checks the provider and every block, and panics naming the
//     package and the reason when something is wrong.
//  3. The platform decides from its configuration which providers are on
//     ([Registry.Without]) and fills [Provider.Settings].
//  4. If the provider has a Start function it is called once, after settings
//     are filled and before the first request.
//  5. Blocks, webhooks, managed credentials and language models are used
//     concurrently from many goroutines until the process ends.
//
// The package imports no web framework and no storage; anything a block needs
// from the platform reaches it through [Run].
package core
