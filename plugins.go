package main

// The providers that are compiled in, one line each. Adding one touches its
// own folder and this list; its order has no meaning.
import (
	_ "agentserver/providers/agentmail"
	_ "agentserver/providers/compass"
	_ "agentserver/providers/genericwebhook"
	_ "agentserver/providers/github"
	_ "agentserver/providers/http"
	_ "agentserver/providers/jina"
	_ "agentserver/providers/openai"
	_ "agentserver/providers/openweathermap"
	_ "agentserver/providers/smtp"
	_ "agentserver/providers/telegram"
	_ "agentserver/providers/video"
)
