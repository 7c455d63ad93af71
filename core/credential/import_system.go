package credential

// foreignSystemIDs are the ids of the AutoGPT Platform's system credentials.
// Those of providers that are compiled in are known from their declarations;
// the others must not become users' own either.
var foreignSystemIDs = map[string]bool{
	"aad82a89-9794-4ebb-977f-d736aa5260a3": true, // aiml_api
	"24e5d942-d9e3-4798-8151-90143ee55629": true, // anthropic
	"544c62b5-1d0f-4156-8fb4-9525f11656eb": true, // apollo
	"7f7b0654-c36b-4565-8fa7-9a52575dfae2": true, // d_id
	"78d19fd7-4d59-4a16-8277-3ce310acf2b7": true, // e2b
	"f4a8b6c2-3d1e-4f5a-9b8c-7d6e5f4a3b2c": true, // elevenlabs
	"d9fce73a-6c1d-4e8b-ba2e-12a456789def": true, // enrichlayer
	"96153e04-9c6c-4486-895f-5bb683b1ecec": true, // exa
	"6c0f5bd0-9008-4638-9d79-4b40b631803e": true, // fal
	"9aa1bde0-4947-4a70-a20c-84daa3850d52": true, // google_maps
	"4ec22295-8f97-4dd1-b42b-2c6957a02545": true, // groq
	"760f84fc-b270-42de-91f6-08efe1b512d0": true, // ideogram
	"7f26de70-ba0d-494e-ba76-238e65e7b45f": true, // jina
	"d44045af-1c33-4833-9e19-752313214de2": true, // llama_api
	"ed55ac19-356e-4243-a6cb-bc599e9b716f": true, // mem0
	"96b83908-2789-4dec-9968-18f0ece4ceb3": true, // nvidia
	"744fdc56-071a-4761-b5a5-0af0ce10a2b5": true, // ollama
	"b5a0e27d-0c98-4df3-a4b9-10193e1f3c40": true, // open_router
	"53c25cb8-e3ee-465c-a4d1-e75a4c899c2a": true, // openai
	"8b3d4e5f-6a7b-8c9d-0e1f-2a3b4c5d6e7f": true, // openweathermap
	"6b9fc200-4726-4973-86c9-cd526f5ce5db": true, // replicate
	"fdb7f412-f519-48d1-9b5f-d2f73d0e01fe": true, // revid
	"3b1bdd16-8818-4bc2-8cbb-b23f9a3439ed": true, // screenshotone
	"3bcdbda3-84a3-46af-8fdb-bfd2472298b8": true, // smartlead
	"66f20754-1b81-48e4-91d0-f4f0dd82145f": true, // unreal_speech
	"c4e6d1a0-3b5f-4789-a8e2-9b123456789f": true, // v0
	"a5b3c7d9-2e4f-4a6b-8c1d-9e0f1a2b3c4d": true, // webshare_proxy
	"63a6e279-2dc2-448e-bf57-85776f7176dc": true, // zerobounce
}
