//go:build tools

// Package tools names the programs of others that the peers rank builds, so that go.mod and go.sum hold their exact versions.
package tools

import _ "github.com/summerwind/h2spec/cmd/h2spec"
