// Package obs reports errors, panics and messages to an obs server.
//
//	obs.Init(obs.Options{DSN: os.Getenv("OBS_DSN"), Environment: "production"})
//	defer obs.Flush(5 * time.Second)
//
// [CaptureException] reports an error and [CaptureMessage] a message. A deferred [Recover] reports a
// panic, [CapturePanic] one that the program has recovered itself, [Handler] those in HTTP handlers,
// and [NewSlogHandler] what is logged as an error.
//
// Events say who was affected and how: [SetUser], [SetTag], [SetExtra] and [AddBreadcrumb] for all
// events of the process, the same methods of a [Scope] for those of a context, and options such as
// [WithUser] for one event.
//
// Capturing an event never blocks on the network and never panics. Events go into a queue in memory, and
// one goroutine sends them. It retries temporary failures for as long as the process lives. Call
// [Flush] before the process exits: Go has no exit hook that could do it.
//
// At most 100 occurrences of the same error are sent per minute. Of the rest, one is sent, when the
// minute ends or on Flush. It carries the number of the others, so the server's counts stay correct.
// An error that is captured again on its way up is sent once.
//
// If the DSN is missing or invalid, the package prints one line to standard error and sends nothing.
// All functions are safe for concurrent use.
package obs
