module slipway.local/sandbox/prometheus

go 1.26.7

require github.com/prometheus/prometheus v0.316.0

replace github.com/hashicorp/nomad/api => github.com/hashicorp/nomad/api v0.0.0-20260324203407-b27b0c2e019a
