// Package rest is outbound HTTP for providers.
package rest

import "net/http"

type Options struct{}

func NewClient(Options) *http.Client { return &http.Client{} }
