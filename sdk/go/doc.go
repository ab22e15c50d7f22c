// Package obs reports errors, panics and messages to an obs server.
//
//	obs.Init(obs.Options{
//		DSN:         "http://test123@localhost:8000",
//		Environment: "production",
//	})
//	defer obs.Flush(5 * time.Second)
//
// [CaptureException] takes an error, [CaptureMessage] a text. [Recover], when deferred, catches
// a panic, and [Handler] reports those of HTTP handlers. Each takes options: [WithExtra],
// [WithLevel], [WithFingerprint].
//
// A capture never blocks on the network and never panics. It puts an event into a queue, from which one
// goroutine sends; what cannot be sent now is tried again, for as long as the process lives.
// [Flush] waits for that, and says whether everything was accepted. Call it before the
// process ends: Go has no hook that could do so.
//
// More than 100 of the same error a minute are held back. The last of them goes out when the
// minute ends, or at Flush, and says how many it stands for, so that the server's count is true.
//
// Without a usable DSN the package says so in one line on standard error and does nothing. All
// functions may be called from any goroutine, at any time.
package obs
