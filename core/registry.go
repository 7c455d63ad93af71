package core

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
)

// Registry holds providers and their blocks. The zero value is ready to use.
// It is safe for concurrent use.
type Registry struct {
	mu        sync.RWMutex
	providers map[string]*Provider
	blocks    map[string]Block
	names     map[string]string // block name -> id
	order     []Block
	// off says why a provider that is compiled in is not in use.
	off map[string]string
	// offBlocks maps a block id to the provider that is off.
	offBlocks map[string]string
	// hidden says why a block cannot be used, by id.
	hidden map[string]string
}

// Default is the registry that [Register] fills from init functions.
var Default = &Registry{}

// Register adds a provider to [Default]. It panics, naming the calling package
// and the reason, when the provider or one of its blocks is not valid or a name
// or id is taken: a programming error that any test run finds.
func Register(p *Provider) {
	if err := Default.Add(p); err != nil {
		panic(fmt.Sprintf("%s: cannot register provider %q: %v", caller(), p.Name, err))
	}
}

// caller names the package that called Register.
func caller() string {
	pc, _, _, ok := runtime.Caller(2)
	if !ok {
		return "core"
	}
	name := runtime.FuncForPC(pc).Name()
	dir, base := "", name
	if i := strings.LastIndex(name, "/"); i >= 0 {
		dir, base = name[:i+1], name[i+1:]
	}
	pkg, _, _ := strings.Cut(base, ".")
	return dir + pkg
}

// Add is [Register] for a registry of one's own, with an error instead of a
// panic.
func (r *Registry) Add(p *Provider) error {
	if err := p.check(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.providers == nil {
		r.providers, r.blocks, r.names = map[string]*Provider{}, map[string]Block{}, map[string]string{}
	}
	if err := r.free(p); err != nil {
		return err
	}
	for _, b := range p.Blocks {
		spec := b.Spec()
		r.blocks[spec.ID], r.names[spec.Name] = b, spec.ID
		r.order = append(r.order, b)
	}
	r.providers[p.Name] = p
	return nil
}

// free reports which of the provider's names and ids is taken, by another
// provider or twice in its own blocks.
func (r *Registry) free(p *Provider) error {
	if _, taken := r.providers[p.Name]; taken {
		return fmt.Errorf("the name is taken")
	}
	ids, names := map[string]string{}, map[string]bool{}
	for _, b := range p.Blocks {
		spec := b.Spec()
		owner := ids[spec.ID]
		if other, taken := r.blocks[spec.ID]; taken {
			owner = other.Spec().Name
		}
		if owner != "" {
			return fmt.Errorf("block %s: its id is taken by %s", spec.Name, owner)
		}
		if _, taken := r.names[spec.Name]; taken || names[spec.Name] {
			return fmt.Errorf("block %s: its name is taken", spec.Name)
		}
		ids[spec.ID], names[spec.Name] = spec.Name, true
	}
	return nil
}

// Without gives a registry that lacks the named providers and remembers why:
// using one of their blocks is then a clear error.
func (r *Registry) Without(reasons map[string]string) *Registry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c := &Registry{
		providers: map[string]*Provider{}, blocks: map[string]Block{}, names: map[string]string{},
		off: map[string]string{}, offBlocks: map[string]string{}, hidden: map[string]string{},
	}
	maps.Copy(c.off, r.off)
	maps.Copy(c.offBlocks, r.offBlocks)
	maps.Copy(c.hidden, r.hidden)
	for name, p := range r.providers {
		if reason, off := reasons[name]; off {
			c.off[name] = reason
			continue
		}
		c.providers[name] = p
	}
	for _, b := range r.order {
		spec := b.Spec()
		if _, off := reasons[spec.Provider]; off {
			c.offBlocks[spec.ID] = spec.Provider
			continue
		}
		c.blocks[spec.ID], c.names[spec.Name] = b, spec.ID
		c.order = append(c.order, b)
	}
	return c
}

// Hide marks blocks as disabled for a reason. They stay known, so that graphs
// which hold them load, but cannot be used.
func (r *Registry) Hide(reason string, blockIDs ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hidden == nil {
		r.hidden = map[string]string{}
	}
	for _, id := range blockIDs {
		r.hidden[id] = reason
	}
}

// Provider gives a provider that is in use.
func (r *Registry) Provider(name string) (*Provider, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	p, ok := r.providers[name]
	return p, ok
}

// Providers gives the providers in use, by name.
func (r *Registry) Providers() []*Provider {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := make([]*Provider, 0, len(r.providers))
	for _, name := range SortedKeys(r.providers) {
		list = append(list, r.providers[name])
	}
	return list
}

// Off gives the providers that are compiled in and not in use, with reasons.
func (r *Registry) Off() map[string]string { return r.off }

// Block gives a block by id.
func (r *Registry) Block(id string) (Block, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	b, ok := r.blocks[id]
	return b, ok
}

// BlockByName gives a block by its name.
func (r *Registry) BlockByName(name string) (Block, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	b, ok := r.blocks[r.names[name]]
	return b, ok
}

// Disabled says why a block that is known cannot be used, or gives "".
func (r *Registry) Disabled(b Block) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	spec := b.Spec()
	if reason := r.hidden[spec.ID]; reason != "" {
		return reason
	}
	return spec.Disabled
}

// Unknown says why there is no block of an id: its provider is off, or the id
// is not known at all.
func (r *Registry) Unknown(id string) string {
	if reason := r.BlockOff(id); reason != "" {
		return reason
	}
	return "no such block"
}

// BlockOff says which provider of a block is off, and why, or gives "" for a
// block of no provider that is off.
func (r *Registry) BlockOff(id string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if provider, off := r.offBlocks[id]; off {
		return fmt.Sprintf("its provider %s is turned off here (%s)", provider, r.off[provider])
	}
	return ""
}

// Blocks gives every block that is known, in one fixed order: the platform's
// own first, then by provider, then as declared.
func (r *Registry) Blocks() []Block {
	r.mu.RLock()
	defer r.mu.RUnlock()
	list := append([]Block(nil), r.order...)
	rank := func(b Block) string {
		if name := b.Spec().Provider; name != CoreProvider {
			return name
		}
		return ""
	}
	sort.SliceStable(list, func(i, j int) bool { return rank(list[i]) < rank(list[j]) })
	return list
}

// CoreProvider is the name under which the platform registers its own blocks.
// It cannot be turned off.
const CoreProvider = "core"

// Offered gives a credentials input as users see it: a sign-in is left out where
// another way is left and the operator has not set the client for it. What
// agents hold, and what runs accept, does not change with that.
func (r *Registry) Offered(f CredentialsField) CredentialsField {
	if len(f.Types) < 2 || !slices.Contains(f.Types, TypeOAuth2) {
		return f
	}
	declared := false
	for _, name := range f.Providers {
		p, ok := r.Provider(name)
		if !ok {
			continue
		}
		if auth, ok := p.OAuth(); ok {
			declared = true
			if id, secret := auth.Client(); id != "" && secret != "" {
				return f
			}
		}
	}
	if !declared {
		return f
	}
	f.Types = slices.DeleteFunc(slices.Clone(f.Types), func(t CredentialType) bool { return t == TypeOAuth2 })
	return f
}
