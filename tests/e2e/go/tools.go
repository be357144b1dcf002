//go:build tools

// The tools of other makers that the tests run, so that go.mod pins them and what they need.
package tools

import (
	_ "github.com/fullstorydev/grpcurl/cmd/grpcurl"
	_ "github.com/summerwind/h2spec/cmd/h2spec"
)
