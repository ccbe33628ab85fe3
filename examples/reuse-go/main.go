// A service's own pipeline in Go, made of Slipway's functions.
//
// It depends on Slipway in its dagger.json, and calls it as dag.Slipway().
package main

import (
	"context"
	"fmt"

	"dagger/reuse-go/internal/dagger"
)

// A service's own pipeline
type ReuseGo struct{}

// Run the quick checks, and answer with their table; the error says which of them failed
func (m *ReuseGo) Quick(
	ctx context.Context,
	// The service's source
	source *dagger.Directory,
) (string, error) {
	report := slipway(source).Checks(dagger.SlipwayChecksOpts{Only: []string{"lint", "format"}})
	summary, err := report.Summary(ctx)
	if err != nil {
		return "", err
	}
	if err := report.Assert(ctx); err != nil {
		return "", err
	}
	return summary, nil
}

// Test the service in parallel, then build its image with a label of this pipeline
func (m *ReuseGo) Image(
	ctx context.Context,
	// The service's source
	source *dagger.Directory,
	// Where the source came from
	// +optional
	revision string,
) (*dagger.Container, error) {
	service := slipway(source)
	if err := service.Test(ctx, dagger.SlipwayTestOpts{Workers: "auto"}); err != nil {
		return nil, fmt.Errorf("the service is not built, because its tests fail: %w", err)
	}
	image := service.Build(dagger.SlipwayBuildOpts{Revision: revision})
	return image.WithLabel("pipeline", "reuse-go"), nil
}

func slipway(source *dagger.Directory) *dagger.Slipway {
	return dag.Slipway(dagger.SlipwayOpts{Source: source})
}
