package core

import (
	"context"
)

// A Block is one step that a user can draw: inputs, outputs and what it does.
// Most are made with [NewBlock].
type Block interface {
	Spec() *BlockSpec
	// Run does the work. Inputs are coerced and valid by the input schema,
	// credentials fields hold a [Credential]. It passes outputs to emit in
	// order; an error ends the run and becomes the error pin.
	Run(ctx context.Context, run *Run, in Values, emit Emit) error
}

// Emit passes one output on. It blocks while the run cannot take more, and its
// error (the run was stopped) must end the block.
type Emit func(pin string, value any) error

// UIType says how a client draws a block and how the engine treats it.
type UIType string

// The UI types, as they stand on the wire.
const (
	UIStandard      UIType = "Standard"
	UIInput         UIType = "Input"
	UIOutput        UIType = "Output"
	UINote          UIType = "Note"
	UIWebhook       UIType = "Webhook"
	UIWebhookManual UIType = "Webhook (manual)"
	UIAgent         UIType = "Agent"
	UIAI            UIType = "AI"
	UIAyrshare      UIType = "Ayrshare"
	UIHumanInLoop   UIType = "Human In The Loop"
	UIMCPTool       UIType = "MCP Tool"
)

// Category groups blocks in the builder.
type Category string

// The categories, as they stand on the wire.
const (
	CategoryAI            Category = "AI"
	CategorySocial        Category = "SOCIAL"
	CategoryText          Category = "TEXT"
	CategorySearch        Category = "SEARCH"
	CategoryBasic         Category = "BASIC"
	CategoryInput         Category = "INPUT"
	CategoryOutput        Category = "OUTPUT"
	CategoryLogic         Category = "LOGIC"
	CategoryCommunication Category = "COMMUNICATION"
	CategoryDeveloper     Category = "DEVELOPER_TOOLS"
	CategoryData          Category = "DATA"
	CategoryHardware      Category = "HARDWARE"
	CategoryAgent         Category = "AGENT"
	CategoryCRM           Category = "CRM"
	CategorySafety        Category = "SAFETY"
	CategoryProductivity  Category = "PRODUCTIVITY"
	CategoryIssueTracking Category = "ISSUE_TRACKING"
	CategoryMultimedia    Category = "MULTIMEDIA"
	CategoryMarketing     Category = "MARKETING"
)

// Description is a short sentence for a category.
func (c Category) Description() string { return categoryDescriptions[c] }

var categoryDescriptions = map[Category]string{
	CategoryAI:            "Uses language, image or other models.",
	CategorySocial:        "Works with social networks.",
	CategoryText:          "Reads, changes or writes text.",
	CategorySearch:        "Finds information.",
	CategoryBasic:         "Everyday building blocks.",
	CategoryInput:         "Brings data into an agent.",
	CategoryOutput:        "Brings data out of an agent.",
	CategoryLogic:         "Decides, repeats and calculates.",
	CategoryCommunication: "Sends and receives messages.",
	CategoryDeveloper:     "Helps to build and run software.",
	CategoryData:          "Handles structured data.",
	CategoryHardware:      "Works with devices and physical goods.",
	CategoryAgent:         "Runs other agents.",
	CategoryCRM:           "Works with customer records.",
	CategorySafety:        "Keeps agents in bounds.",
	CategoryProductivity:  "Works with office and planning tools.",
	CategoryIssueTracking: "Works with issue trackers.",
	CategoryMultimedia:    "Handles images, sound and video.",
	CategoryMarketing:     "Helps to reach an audience.",
}

// ErrorPin says how a block declares its error output.
type ErrorPin int

const (
	// ErrorPinBase is the optional error pin that most blocks have.
	ErrorPinBase ErrorPin = iota
	// ErrorPinDeclared is an error pin that is always listed as required.
	ErrorPinDeclared
	// ErrorPinNone leaves the pin out of the schema.
	ErrorPinNone
)

// CredentialsField says which credentials an input takes. The zero value takes
// those of the block's own provider, of the type of the Go field.
type CredentialsField struct {
	Providers []string
	Types     []CredentialType
	Scopes    []string
	// Discriminator names the input that selects the provider through Mapping
	// (input value to provider), or the host when there is no mapping.
	Discriminator string
	Mapping       map[string]string
	// Optional lets the block run without.
	Optional    bool
	Description string
}

// Cost is a price: Amount credits when Filter matches the inputs, as
// [BlockSpec.Fee] says. Prices of the operator's keys are made by [SystemCost].
type Cost struct {
	Amount int            `json:"cost_amount"`
	Filter map[string]any `json:"cost_filter"`
	Type   string         `json:"cost_type"` // "run"
}

// BlockSpec describes a block. Ids, names, pins, defaults and flags are wire
// facts: saved agents depend on them.
type BlockSpec struct {
	// ID is 36 characters, unique and never changed.
	ID string
	// Name is unique and ends in "Block".
	Name         string
	Description  string
	Categories   []Category
	Contributors []string
	// UI is UIStandard unless set.
	UI UIType
	// Static outputs keep their value for every later run of the next node.
	Static bool
	// Sensitive blocks ask for review when the sensitive safe mode is on.
	Sensitive bool
	// Disabled, when set, says why the block cannot be used.
	Disabled string
	Webhook  *WebhookConfig
	// Costs are tried in order; a run has the first that matches, see Fee.
	Costs       []Cost
	ErrorPin    ErrorPin
	Credentials map[string]CredentialsField
	// GraphValue, on input and output blocks, gives members that replace those
	// of the value's schema in the schema of the whole agent, such as the
	// choices of a drop-down. It gets the node's inputs.
	GraphValue func(in Values) *Object
	// InputDescription is shown above the form; most blocks have none.
	InputDescription string

	// Input and Output are the JSON schemas, made at registration.
	Input, Output *Object
	// Provider is the name of the provider that registered the block.
	Provider string

	inputFields  []*inputField
	fieldByName  map[string]*inputField
	inputCheck   *Validator
	outputChecks map[string]*Validator
}

// Field gives a declared input.
func (s *BlockSpec) Field(name string) (*InputField, bool) {
	f, ok := s.fieldByName[name]
	if !ok {
		return nil, false
	}
	return &f.InputField, true
}

// Fields gives the declared inputs in order.
func (s *BlockSpec) Fields() []*InputField {
	out := make([]*InputField, len(s.inputFields))
	for i, f := range s.inputFields {
		out[i] = &f.InputField
	}
	return out
}

// ValueSchema gives the members that an input or output node adds to its
// property in the agent's schema, if it has any.
func (s *BlockSpec) ValueSchema(in Values) (*Object, bool) {
	if s.GraphValue == nil {
		return nil, false
	}
	o := s.GraphValue(in)
	return o, o != nil
}

// HasOutput reports whether the output is declared.
func (s *BlockSpec) HasOutput(name string) bool {
	props := s.Output.Object("properties")
	if _, ok := props.Get(name); ok {
		return true
	}
	return name == "error" && s.ErrorPin != ErrorPinNone
}

// OutputNames gives the declared outputs in order.
func (s *BlockSpec) OutputNames() []string { return s.Output.Object("properties").Keys() }

// InputField is a declared input.
type InputField struct {
	Name     string
	Schema   *Object
	Required bool
	// Default is the plain JSON value used when the input is left out.
	Default any
	// Credentials is set on credentials fields.
	Credentials *CredentialsField
	// Dependencies name inputs that must be set for this one.
	Dependencies []string
}
