package core

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// A Provider is one integration. Its package passes one to [Register] from
// init.
type Provider struct {
	// Name is the wire name: lower snake case, unique.
	Name string
	// Title is for people.
	Title string
	// Settings is a pointer to a struct that the platform fills from the
	// provider's section of the configuration; nil when it has none. Fields
	// carry the tags key, doc, default and env.
	Settings any
	// Auth lists how a user connects an account.
	Auth []AuthMethod
	// System lists credentials that the operator pays for.
	System []SystemCredential
	// Managed provisions one credential per user; nil if none.
	Managed ManagedCredentialProvider
	// Webhooks is nil if the provider sends none.
	Webhooks WebhookManager
	// Models is nil unless the provider serves language models.
	Models LanguageModels
	// BaseCost is the price, in credits, of a run of each block that has no Costs
	// of its own and takes credentials of this provider. It is asked for the use
	// of the first of System, the operator's credential; a user's own is free. So
	// nothing is asked where System is empty.
	BaseCost int
	Blocks   []Block
	// Trusted, when set, gives hosts that the operator's settings name, asked for
	// after settings are filled. This provider's requests may reach them even on
	// the own network, where no others may go.
	Trusted func() []string
	// Start, when set, is called once before the first use, with settings
	// filled. Its error keeps the platform from starting. Background work
	// belongs into goroutines started with env.Go.
	Start func(ctx context.Context, env *Env) error
}

// Env is what a provider may use while it starts.
type Env struct {
	HTTP Doer
	// Go runs fn until ctx ends. A panic in it is logged and does not end the
	// process.
	Go func(name string, fn func(ctx context.Context))
}

var (
	providerName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	blockName    = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*Block$`)
)

// check finishes the provider's blocks and reports what is wrong with it.
func (p *Provider) check() error {
	if !providerName.MatchString(p.Name) {
		return fmt.Errorf("the name %q is not lower snake case", p.Name)
	}
	if p.Title == "" {
		return fmt.Errorf("it has no title")
	}
	if err := p.checkOAuth(); err != nil {
		return err
	}
	for _, s := range p.System {
		if s.ID == "" || s.Title == "" || s.Load == nil {
			return fmt.Errorf("a system credential lacks its id, title or loader")
		}
		if err := p.checkSystem(s); err != nil {
			return err
		}
	}
	for _, b := range p.Blocks {
		if err := prepareBlock(p.Name, b); err != nil {
			return fmt.Errorf("block %s: %w", b.Spec().Name, err)
		}
	}
	p.addBaseCost()
	for _, b := range p.Blocks {
		if err := b.Spec().checkCosts(); err != nil {
			return fmt.Errorf("block %s: %w", b.Spec().Name, err)
		}
	}
	return nil
}

func prepareBlock(provider string, b Block) error {
	spec := b.Spec()
	if len(spec.ID) != 36 {
		return fmt.Errorf("its id %q is not 36 characters long", spec.ID)
	}
	if !blockName.MatchString(spec.Name) {
		return fmt.Errorf("its name does not end in Block")
	}
	if strings.TrimSpace(spec.Description) == "" {
		return fmt.Errorf("it has no description")
	}
	if spec.UI == "" {
		spec.UI = UIStandard
	}
	spec.Provider = provider
	if p, ok := b.(preparer); ok {
		if err := p.prepare(provider); err != nil {
			return err
		}
	}
	if spec.Input == nil || spec.Output == nil {
		return fmt.Errorf("it has no schemas")
	}
	return checkWebhook(spec)
}

// checkWebhook holds triggers to their rules.
func checkWebhook(spec *BlockSpec) error {
	w := spec.Webhook
	if w == nil {
		return nil
	}
	spec.UI = UIWebhook
	if w.Manual {
		spec.UI = UIWebhookManual
	}
	if _, ok := spec.Field("payload"); !ok {
		return fmt.Errorf("a trigger needs an input named payload")
	}
	credentials := 0
	for _, f := range spec.Fields() {
		if f.Credentials != nil {
			credentials++
		}
	}
	if !w.Manual && credentials != 1 {
		return fmt.Errorf("a trigger that sets itself up needs exactly one credentials input")
	}
	if w.EventFilter == "" {
		return nil
	}
	filter, ok := spec.Field(w.EventFilter)
	if !ok {
		return fmt.Errorf("its event filter '%s' is not an input", w.EventFilter)
	}
	props := filter.Schema.Object("properties")
	if props.Len() == 0 {
		return fmt.Errorf("its event filter '%s' may hold booleans only", w.EventFilter)
	}
	for _, name := range props.Keys() {
		if props.Object(name).Text("type") != "boolean" {
			return fmt.Errorf("its event filter '%s' may hold booleans only", w.EventFilter)
		}
	}
	return nil
}
