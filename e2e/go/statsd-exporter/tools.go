//go:build tools

// Package tools names the program that the peers rank builds, so that go.mod and go.sum hold its exact version and those of all that it needs.
package tools

import _ "github.com/prometheus/statsd_exporter"
