package core

import "fmt"

// systemCredential names a credential of the operator's that clients and saved
// agents know.
type systemCredential struct{ id, provider, vendor string }

// systemCredentials are in the order in which lists show them. The ids, and the
// titles made of the vendors' names, are wire facts: the web client and the
// price lists of blocks hold them, so they are reserved whether or not their
// provider is compiled in. Providers beyond these choose ids of their own.
var systemCredentials = []systemCredential{
	{"744fdc56-071a-4761-b5a5-0af0ce10a2b5", "ollama", "Ollama"},
	{"fdb7f412-f519-48d1-9b5f-d2f73d0e01fe", "revid", "Revid"},
	{"760f84fc-b270-42de-91f6-08efe1b512d0", "ideogram", "Ideogram"},
	{"4ec22295-8f97-4dd1-b42b-2c6957a02545", "groq", "Groq"},
	{"6b9fc200-4726-4973-86c9-cd526f5ce5db", "replicate", "Replicate"},
	{"53c25cb8-e3ee-465c-a4d1-e75a4c899c2a", "openai", "OpenAI"},
	{"aad82a89-9794-4ebb-977f-d736aa5260a3", "aiml_api", "AI/ML API"},
	{"24e5d942-d9e3-4798-8151-90143ee55629", "anthropic", "Anthropic"},
	{"7f7b0654-c36b-4565-8fa7-9a52575dfae2", "d_id", "D-ID"},
	{"7f26de70-ba0d-494e-ba76-238e65e7b45f", "jina", "Jina"},
	{"66f20754-1b81-48e4-91d0-f4f0dd82145f", "unreal_speech", "Unreal Speech"},
	{"b5a0e27d-0c98-4df3-a4b9-10193e1f3c40", "open_router", "Open Router"},
	{"d9fce73a-6c1d-4e8b-ba2e-12a456789def", "enrichlayer", "Enrichlayer"},
	{"6c0f5bd0-9008-4638-9d79-4b40b631803e", "fal", "FAL"},
	{"96153e04-9c6c-4486-895f-5bb683b1ecec", "exa", "Exa search"},
	{"78d19fd7-4d59-4a16-8277-3ce310acf2b7", "e2b", "E2B"},
	{"96b83908-2789-4dec-9968-18f0ece4ceb3", "nvidia", "Nvidia"},
	{"3b1bdd16-8818-4bc2-8cbb-b23f9a3439ed", "screenshotone", "ScreenshotOne"},
	{"ed55ac19-356e-4243-a6cb-bc599e9b716f", "mem0", "Mem0"},
	{"544c62b5-1d0f-4156-8fb4-9525f11656eb", "apollo", "Apollo"},
	{"3bcdbda3-84a3-46af-8fdb-bfd2472298b8", "smartlead", "SmartLead"},
	{"63a6e279-2dc2-448e-bf57-85776f7176dc", "zerobounce", "ZeroBounce"},
	{"9aa1bde0-4947-4a70-a20c-84daa3850d52", "google_maps", "Google Maps"},
	{"d44045af-1c33-4833-9e19-752313214de2", "llama_api", "Llama API"},
	{"c4e6d1a0-3b5f-4789-a8e2-9b123456789f", "v0", "v0 by Vercel"},
	{"a5b3c7d9-2e4f-4a6b-8c1d-9e0f1a2b3c4d", "webshare_proxy", "Webshare Proxy"},
	{"8b3d4e5f-6a7b-8c9d-0e1f-2a3b4c5d6e7f", "openweathermap", "OpenWeatherMap"},
	{"f4a8b6c2-3d1e-4f5a-9b8c-7d6e5f4a3b2c", "elevenlabs", "ElevenLabs"},
}

// systemTitle begins the titles by which the web client tells the operator's
// credentials from others.
const systemTitle = "Use Credits for "

// SystemCredentialPlace gives the place of an id among the operator's
// credentials that clients know, or -1.
func SystemCredentialPlace(id string) int {
	for i, c := range systemCredentials {
		if c.id == id {
			return i
		}
	}
	return -1
}

// SystemCredentialID gives the id by which clients know the operator's credential
// at a provider, or "" for one that they know none of.
func SystemCredentialID(provider string) string {
	for _, c := range systemCredentials {
		if c.provider == provider {
			return c.id
		}
	}
	return ""
}

// SystemProviders names the providers whose credentials clients know the
// operator to have, in use or not.
func SystemProviders() []string {
	names := make([]string, len(systemCredentials))
	for i, c := range systemCredentials {
		names[i] = c.provider
	}
	return names
}

// checkSystem holds a system credential to what clients know of its provider.
func (p *Provider) checkSystem(s SystemCredential) error {
	for _, known := range systemCredentials {
		switch {
		case known.provider == p.Name && (s.ID != known.id || s.Title != systemTitle+known.vendor):
			return fmt.Errorf("clients know its system credential as %s, %q", known.id, systemTitle+known.vendor)
		case known.id == s.ID && known.provider != p.Name:
			return fmt.Errorf("the id of its system credential is that of %s", known.provider)
		}
	}
	return nil
}
