package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agentserver/core"
)

// ComparisonOperator and HttpMethod are enums of blocks; the type's name is the
// title of the schema.
type (
	ComparisonOperator string
	HttpMethod         string
)

func (ComparisonOperator) Enum() []string { return []string{"==", "!=", ">", "<", ">=", "<="} }

func (HttpMethod) Enum() []string {
	return []string{"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"}
}

// picker says its own schema.
type picker string

func (picker) JSONSchema() *core.Object {
	return core.NewObject("type", "string", "llm_model", true, "title", "Picker")
}

type smtpConfig struct {
	Server string `json:"smtp_server" doc:"…" advanced:"false"`
	Port   int    `json:"smtp_port" doc:"…" default:"25" advanced:"true"`
}

type plainStruct struct {
	ID   string  `json:"id"`
	Name *string `json:"name"`
}

// property gives the schema of the only input of a struct.
func property[In any](t *testing.T) *core.Object {
	t.Helper()
	spec := specOf[In, struct{}](t, core.BlockSpec{})
	require.Len(t, spec.Fields(), 1)
	return spec.Fields()[0].Schema
}

func TestInputProperties(t *testing.T) {
	for _, c := range []struct {
		name   string
		schema func(*testing.T) *core.Object
		want   string
	}{
		{"text", property[struct {
			F string `json:"name" doc:"…"`
		}], `{"advanced":false,"description":"…","secret":false,"title":"Name","type":"string"}`},
		{"anything", property[struct {
			F any `json:"value" doc:"…" default:"null"`
		}], `{"advanced":true,"default":null,"description":"…","secret":false,"title":"Value"}`},
		{"optional text", property[struct {
			F *string `json:"title" doc:"…"`
		}], `{"advanced":true,"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"description":"…","secret":false,"title":"Title"}`},
		{"optional short text", property[struct {
			F *string `json:"value" title:"Default Value" doc:"…" format:"short-text" advanced:"false"`
		}], `{"advanced":false,"anyOf":[{"format":"short-text","type":"string"},{"type":"null"}],"default":null,"description":"…","secret":false,"title":"Default Value"}`},
		{"enum", property[struct {
			F ComparisonOperator `json:"operator" doc:"…" placeholder:"Select an operator"`
		}], `{"enum":["==","!=",">","<",">=","<="],"title":"ComparisonOperator","type":"string","advanced":false,"description":"…","placeholder":"Select an operator","secret":false}`},
		{"enum with a default", property[struct {
			F HttpMethod `json:"method" doc:"…" default:"POST"`
		}], `{"enum":["GET","POST","PUT","DELETE","PATCH","OPTIONS","HEAD"],"title":"HttpMethod","type":"string","advanced":true,"default":"POST","description":"…","secret":false}`},
		{"map of text", property[struct {
			F map[string]string `json:"headers" doc:"…" factory:"{}"`
		}], `{"additionalProperties":{"type":"string"},"advanced":true,"description":"…","secret":false,"title":"Headers","type":"object"}`},
		{"list of files", property[struct {
			F []string `json:"files" doc:"…" type:"array<string(file)>" factory:"[]"`
		}], `{"advanced":true,"description":"…","items":{"format":"file","type":"string"},"secret":false,"title":"Files","type":"array"}`},
		{"union", property[struct {
			F any `json:"data" doc:"…" type:"object | array<object | array>" placeholder:"…"`
		}], `{"advanced":false,"anyOf":[{"additionalProperties":true,"type":"object"},{"items":{"anyOf":[{"additionalProperties":true,"type":"object"},{"items":{},"type":"array"}]},"type":"array"}],"description":"…","placeholder":"…","secret":false,"title":"Data"}`},
		{"plain enum", property[struct {
			F string `json:"scope" doc:"…" enum:"within_agent,across_agents" default:"within_agent"`
		}], `{"advanced":true,"default":"within_agent","description":"…","enum":["within_agent","across_agents"],"secret":false,"title":"Scope","type":"string"}`},
		{"bounded integer", property[struct {
			F int `json:"limit" doc:"…" default:"10" min:"1" max:"100"`
		}], `{"advanced":true,"default":10,"description":"…","maximum":100,"minimum":1,"secret":false,"title":"Limit","type":"integer"}`},
		{"hidden object", property[struct {
			F map[string]any `json:"payload" factory:"{}" hidden:"true"`
		}], `{"additionalProperties":true,"advanced":true,"hidden":true,"secret":false,"title":"Payload","type":"object"}`},
		{"struct", property[struct {
			F smtpConfig `json:"config" title:"SMTP Config" doc:"…"`
		}], `{"properties":{"smtp_server":{"advanced":false,"description":"…","secret":false,"title":"Smtp Server","type":"string"},
			"smtp_port":{"advanced":true,"default":25,"description":"…","secret":false,"title":"Smtp Port","type":"integer"}},
			"required":["smtp_server"],"title":"SMTP Config","type":"object","advanced":false,"description":"…","secret":false}`},
		{"struct without field metadata", property[struct {
			F plainStruct `json:"it"`
		}], `{"properties":{"id":{"title":"Id","type":"string"},"name":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Name"}},
			"required":["id"],"title":"plainStruct","type":"object","advanced":false,"secret":false}`},
		{"secret", property[struct {
			F string `json:"author_id" default:"<secret>" secret:"true"`
		}], `{"advanced":true,"default":"<secret>","secret":true,"title":"Author Id","type":"string"}`},
		{"basic with advanced off", property[struct {
			F int `json:"n" default:"1" advanced:"false"`
		}], `{"advanced":false,"default":1,"secret":false,"title":"N","type":"integer"}`},
		{"required is never advanced", property[struct {
			F int `json:"n" advanced:"true"`
		}], `{"advanced":false,"secret":false,"title":"N","type":"integer"}`},
		{"required pointer", property[struct {
			F *int `json:"n" required:"true"`
		}], `{"advanced":false,"anyOf":[{"type":"integer"},{"type":"null"}],"secret":false,"title":"N"}`},
		{"bounds of an optional type", property[struct {
			F *int `json:"n" min:"1"`
		}], `{"advanced":true,"anyOf":[{"minimum":1,"type":"integer"},{"type":"null"}],"default":null,"secret":false,"title":"N"}`},
		{"other bounds", property[struct {
			F []string `json:"n" minItems:"1" maxItems:"5"`
		}], `{"advanced":false,"items":{"type":"string"},"minItems":1,"maxItems":5,"secret":false,"title":"N","type":"array"}`},
		{"lengths", property[struct {
			F string `json:"n" minLength:"1" maxLength:"5"`
		}], `{"advanced":false,"minLength":1,"maxLength":5,"secret":false,"title":"N","type":"string"}`},
		{"time", property[struct {
			F time.Time `json:"at"`
		}], `{"advanced":false,"format":"date-time","secret":false,"title":"At","type":"string"}`},
		{"schema of its own", property[struct {
			F picker `json:"model" default:"a" advanced:"false"`
		}], `{"advanced":false,"default":"a","llm_model":true,"secret":false,"title":"Picker","type":"string"}`},
		{"lists of lists", property[struct {
			F [][]any `json:"lists"`
		}], `{"advanced":false,"items":{"items":{},"type":"array"},"secret":false,"title":"Lists","type":"array"}`},
		{"type tags", property[struct {
			F any `json:"v" type:"map<integer> | array | string(uri) | boolean | null"`
		}], `{"advanced":false,"anyOf":[{"additionalProperties":{"type":"integer"},"type":"object"},{"items":{},"type":"array"},
			{"format":"uri","type":"string"},{"type":"boolean"},{"type":"null"}],"secret":false,"title":"V"}`},
	} {
		t.Run(c.name, func(t *testing.T) { require.JSONEq(t, c.want, encoded(t, c.schema(t))) })
	}
}

// Answers are compared by what they are made of, so it has one order.
func TestPropertiesKeepTheirOrder(t *testing.T) {
	for range 20 {
		bounded := property[struct {
			F int `json:"limit" doc:"…" default:"10" max:"100" min:"1"`
		}](t)
		require.Equal(t, []string{"type", "minimum", "maximum", "title", "description", "default", "advanced", "secret"}, bounded.Keys())
	}
}

func TestDependsOn(t *testing.T) {
	spec := specOf[struct {
		Unit     string `json:"unit" default:"minute"`
		Duration int    `json:"duration" depends:"unit" default:"1"`
	}, struct{}](t, core.BlockSpec{})
	f, ok := spec.Field("duration")
	require.True(t, ok)
	require.Equal(t, []string{"unit"}, f.Dependencies)
	require.JSONEq(t, `{"advanced":true,"default":1,"depends_on":["unit"],"secret":false,"title":"Duration","type":"integer"}`, encoded(t, f.Schema))
}

type storeIn struct {
	Input any `json:"input" doc:"…"`
	Data  any `json:"data" doc:"…" default:"null"`
}

type storeOut struct {
	Output core.Pin[any] `json:"output" doc:"…"`
}

func TestWholeSchemas(t *testing.T) {
	spec := specOf[storeIn, storeOut](t, core.BlockSpec{})
	require.Equal(t, `{"properties":{"input":{"title":"Input","description":"…","advanced":false,"secret":false},`+
		`"data":{"title":"Data","description":"…","default":null,"advanced":true,"secret":false}},`+
		`"required":["input"],"title":"Input","type":"object"}`, encoded(t, spec.Input), "properties stay in order")
	require.JSONEq(t, `{"properties":{
		"error":{"advanced":true,"default":"","description":"What went wrong, when the block could not do its work","secret":false,"title":"Error","type":"string"},
		"output":{"advanced":false,"description":"…","secret":false,"title":"Output"}},
		"required":["output"],"title":"Output","type":"object"}`, encoded(t, spec.Output))
	require.Equal(t, []string{"error", "output"}, spec.OutputNames())
	require.True(t, spec.HasOutput("output"))
	require.True(t, spec.HasOutput("error"))
	require.False(t, spec.HasOutput("other"))
}

func TestSchemasWithoutFields(t *testing.T) {
	spec := specOf[struct{}, struct{}](t, core.BlockSpec{ErrorPin: core.ErrorPinNone, InputDescription: "Nothing to fill in."})
	require.Equal(t, `{"properties":{},"title":"Output","type":"object"}`, encoded(t, spec.Output))
	require.Equal(t, `{"properties":{},"title":"Input","type":"object","description":"Nothing to fill in."}`, encoded(t, spec.Input))
	require.False(t, spec.HasOutput("error"))
}

func TestOutputProperties(t *testing.T) {
	spec := specOf[struct{}, struct {
		Count core.Pin[*int]              `json:"count"`
		Rest  core.Pin[map[string]string] `json:"rest" optional:"true" title:"Others"`
		Kind  core.Pin[HttpMethod]        `json:"kind"`
	}](t, core.BlockSpec{ErrorPin: core.ErrorPinDeclared})
	require.JSONEq(t, `{"properties":{
		"error":{"advanced":false,"description":"What went wrong, when the block could not do its work","secret":false,"title":"Error","type":"string"},
		"count":{"advanced":false,"anyOf":[{"type":"integer"},{"type":"null"}],"secret":false,"title":"Count"},
		"rest":{"additionalProperties":{"type":"string"},"advanced":true,"secret":false,"title":"Others","type":"object"},
		"kind":{"advanced":false,"enum":["GET","POST","PUT","DELETE","PATCH","OPTIONS","HEAD"],"secret":false,"title":"HttpMethod","type":"string"}},
		"required":["error","count","kind"],"title":"Output","type":"object"}`, encoded(t, spec.Output))
}

func TestCredentialsSchema(t *testing.T) {
	const members = `"properties":{"id":{"title":"Id","type":"string"},
		"title":{"anyOf":[{"type":"string"},{"type":"null"}],"default":null,"title":"Title"},`
	one := specOf[struct {
		C core.UserPassword `json:"credentials" doc:"…"`
	}, struct{}](t, core.BlockSpec{Credentials: map[string]core.CredentialsField{"credentials": {Providers: []string{"smtp"}}}})
	require.JSONEq(t, `{"credentials_provider":["smtp"],"credentials_types":["user_password"],`+members+`
		"provider":{"const":"smtp","title":"Provider","type":"string"},"type":{"const":"user_password","title":"Type","type":"string"}},
		"required":["id","provider","type"],"title":"Credentials","type":"object","description":"…"}`, encoded(t, one.Fields()[0].Schema))
	require.Equal(t, []string{"credentials"}, one.Missing(core.Values{}))

	many := specOf[struct {
		Model string          `json:"model"`
		C     core.Credential `json:"llm_credentials"`
	}, struct{}](t, core.BlockSpec{Credentials: map[string]core.CredentialsField{"llm_credentials": {
		Providers: []string{"openai", "groq"}, Types: []core.CredentialType{core.TypeAPIKey, core.TypeOAuth2},
		Scopes: []string{"read"}, Discriminator: "model", Mapping: map[string]string{"m2": "groq", "m1": "openai"}, Optional: true,
	}}})
	f, _ := many.Field("llm_credentials")
	require.JSONEq(t, `{"credentials_provider":["openai","groq"],"credentials_types":["api_key","oauth2"],`+members+`
		"provider":{"enum":["openai","groq"],"title":"Provider","type":"string"},"type":{"enum":["api_key","oauth2"],"title":"Type","type":"string"}},
		"required":["id","provider","type"],"title":"Credentials","type":"object","credentials_scopes":["read"],
		"discriminator":"model","discriminator_mapping":{"m1":"openai","m2":"groq"},"default":{}}`, encoded(t, f.Schema))
	require.False(t, f.Required)

	withValues := core.CredentialsSchema(core.CredentialsField{Providers: []string{"http"}, Types: []core.CredentialType{core.TypeHostScoped}, Discriminator: "url"}, []string{"https://a.example"})
	values, _ := withValues.Get("discriminator_values")
	require.Equal(t, []any{"https://a.example"}, values)
}

func TestCredentialsDefaults(t *testing.T) {
	spec := specOf[struct {
		C *core.APIKey `json:"credentials"`
	}, struct{}](t, core.BlockSpec{})
	c := spec.Fields()[0].Credentials
	require.Equal(t, []string{"acme"}, c.Providers, "the block's own provider")
	require.Equal(t, []core.CredentialType{core.TypeAPIKey}, c.Types, "the type of the field")
}

func TestTitle(t *testing.T) {
	for name, want := range map[string]string{
		"value1": "Value1", "base_64": "Base 64", "mimeType": "Mimetype", "_credentials_id": "Credentials Id",
		"smtp_server": "Smtp Server", "a1b": "A1B", "": "", "URL": "Url", "été": "Été",
	} {
		require.Equal(t, want, core.Title(name), name)
	}
}

func TestParseSchemaPanics(t *testing.T) {
	require.Panics(t, func() { core.ParseSchema(`{`) })
	require.Panics(t, func() { core.ParseSchema(`[]`) })
}
