//go:build tools

// Package tools names the program of others that the peers rank builds, so that go.mod and go.sum hold its exact version and those of all
// that it needs. 1.62.0 has an agent that takes UDP, as the one of netramesh's example has; later ones speak to no client that old.
package tools

import _ "github.com/jaegertracing/jaeger/cmd/all-in-one"
