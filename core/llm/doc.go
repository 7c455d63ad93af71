// Package llm calls language models.
//
// It holds two things. The model table ([Models], [Find], [ModelName]) says
// which models exist, whose they are, how much they read and write and what a
// call costs. The client ([New]) sends a [core.ModelRequest] to the provider of
// its model: the provider says where its models are, this package speaks the
// protocol.
//
// Adding a vendor whose API speaks [core.ProtocolChatCompletions] needs no
// change here: rows in models.json and a provider with Models set are enough.
//
// # Life of a call
//
//  1. The model's row gives the provider; one that is off or not compiled in is
//     an error that names it.
//  2. The length of the answer is bounded by what the context window leaves
//     ([EstimateTokens]), by the model and by the request.
//  3. The request is sent, and sent again up to twice when the vendor is busy
//     or cannot be reached. The whole call, waiting included, is bounded by the
//     endpoint's timeout and ends with its context.
//  4. Failures name the provider and the status and never hold the key.
package llm
