module github.com/alexisbouchez/observability-prototype/sdk-compat/drivers/go

go 1.21

require github.com/alexisbouchez/observability-prototype/sdk/go v0.0.0

replace github.com/alexisbouchez/observability-prototype/sdk/go => ../../../sdk/go
