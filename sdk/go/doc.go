// Package obs reports errors, panics and messages to an obs server.
//
//	obs.Init(obs.Options{
//		DSN:         "http://test123@localhost:8000",
//		Environment: "production",
//	})
//	defer obs.Flush(5 * time.Second)
//
// [CaptureException] reports an error and [CaptureMessage] a message. A deferred [Recover] reports a
// panic, [CapturePanic] one that the program has recovered itself, and [Handler] those in HTTP
// handlers. [WithExtra], [WithLevel] and [WithFingerprint] change a single event.
//
// Capturing an event never blocks on the network and never panics. Events go into a queue in memory, and
// one goroutine sends them. It retries temporary failures for as long as the process lives. Call
// [Flush] before the process exits: Go has no exit hook that could do it.
//
// At most 100 occurrences of the same error are sent per minute. Of the rest, only the latest is
// sent, when the minute ends or on Flush. It carries the number of the others, so the server's
// counts stay correct.
//
// If the DSN is missing or invalid, the package prints one line to standard error and sends nothing.
// All functions are safe for concurrent use.
package obs
