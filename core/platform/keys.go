package platform

import (
	"agentserver/config"
	"agentserver/core"
	"agentserver/core/account"
	"agentserver/core/credential"
)

// SigningKey gives the configured key of tokens, or the one of the data folder,
// which is made when missing.
func SigningKey(c *config.Config) (core.Secret, error) {
	if c.Auth.JWTKey != "" || c.Auth.JWKSURL != "" {
		return c.Auth.JWTKey, nil
	}
	key, err := account.LoadOrCreateKey(c.DataDir)
	return key, err
}

// KeyRing gives the configured keys of stored secrets, or the one of the data
// folder, which is made when missing.
func KeyRing(c *config.Config) (*credential.Ring, error) {
	var keys []credential.Key
	for _, k := range c.Encryption.Ring {
		keys = append(keys, credential.Key{Name: k.Name, Key: k.Key})
	}
	if len(keys) == 0 {
		key, err := credential.LoadOrCreateKey(c.DataDir)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return credential.NewRing(keys)
}
