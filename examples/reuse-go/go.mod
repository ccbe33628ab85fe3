module dagger/reuse-go

go 1.24
