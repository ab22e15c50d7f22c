module github.com/alexisbouchez/observability-prototype/sdk/go

go 1.21
