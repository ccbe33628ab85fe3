module slipway.local/sandbox/pause

go 1.24.0
