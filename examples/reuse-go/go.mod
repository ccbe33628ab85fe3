module dagger/reuse-go

go 1.24

// The Go SDK v0.21.8 sets 1.41, but imports a package that came later, and so would take the
// newest: that one does not compile beside the otel/log that it also sets.
require (
	go.opentelemetry.io/otel v1.44.0
	go.opentelemetry.io/otel/trace v1.44.0
)
