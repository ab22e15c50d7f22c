// The public API: Init, the captures and their options, Recover, Handler and Flush.

package obs

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"runtime"
	"time"
)

// Version is the version of this SDK.
const Version = "0.1.0"

// Options configure the package. Only DSN is required.
type Options struct {
	DSN         string         // http://KEY@HOST:PORT
	Environment string         // production, staging, …
	ServerName  string         // default: the host name
	Release     string         // version of the program
	Extra       map[string]any // added to every event; [WithExtra] overrides it key by key

	// BeforeSend may modify an event, or drop it by returning nil. It runs in the goroutine that
	// captures the event, so it must be safe for concurrent use. It may replace the values in Extra
	// but must not modify them, since they belong to the program. If BeforeSend panics, the event is
	// dropped. Captures made by BeforeSend in the same goroutine are ignored.
	BeforeSend func(*Event) *Event

	NoSourceLines bool // do not send lines of source code
	Repanic       bool // Recover panics again after reporting a panic

	ConnectTimeout time.Duration // for establishing a connection; default: 2 seconds
	SendTimeout    time.Duration // for one attempt, from connecting to the end of the response; default: 5 seconds
}

// Init configures the package. It returns no error, because a program should start even if its
// errors cannot be reported: if the DSN is invalid, Init prints one line to standard error and
// captures do nothing.
//
// Calling Init again replaces the options. Events that are still queued go to the new server, so
// that they survive a change of its address or key.
func Init(options Options) {
	c, err := newClient(options)
	if err != nil {
		fmt.Fprintf(os.Stderr, "obs: "+disabled+"\n", err)
	}
	outgoing.L.Lock()
	defer outgoing.L.Unlock()
	current.Store(c)
	outgoing.logged[disabled] = err != nil
	if err == nil {
		outgoing.use(c)
	}
}

// An Option modifies a single event.
type Option func(*Event)

// WithExtra adds data to the event. Its keys override those in [Options].Extra.
func WithExtra(extra map[string]any) Option {
	return func(e *Event) { maps.Copy(e.Extra, extra) }
}

// WithLevel sets the level of the event.
func WithLevel(level Level) Option {
	return func(e *Event) { e.Level = level }
}

// WithFingerprint groups the event by 1 to 8 strings instead of by its type and message.
func WithFingerprint(parts ...string) Option {
	return func(e *Event) { e.Fingerprint = parts }
}

// CaptureException reports an error. If the error or one that it wraps carries a stack trace, as
// those of github.com/pkg/errors do, the event has the innermost one. Otherwise it has that of the
// calling goroutine. CaptureException returns the event's ID. It returns "" if err is nil, if the
// event is dropped or held back as a repeat, or if the package is not configured.
func CaptureException(err error, options ...Option) string {
	if err == nil {
		return ""
	}
	return capture(options, func(stack []runtime.Frame) *Event { return newErrorEvent(err, stack) })
}

// CaptureMessage reports a message with [LevelInfo]. It returns the same as [CaptureException].
func CaptureMessage(message string, options ...Option) string {
	return capture(options, func([]runtime.Frame) *Event { return &Event{Level: LevelInfo, Message: message} })
}

// CapturePanic reports a value that recover returned, of any type. Call it in the deferred function
// that calls recover, for the event to have the stack trace of the panic:
//
//	defer func() {
//		if value := recover(); value != nil {
//			obs.CapturePanic(value)
//			err = fmt.Errorf("job failed: %v", value)
//		}
//	}()
//
// It returns the same as [CaptureException]. It ignores nil, which means that nothing panicked, and
// [http.ErrAbortHandler], which aborts a response on purpose.
func CapturePanic(value any, options ...Option) string {
	if value == nil || value == http.ErrAbortHandler {
		return ""
	}
	return capture(options, func(stack []runtime.Frame) *Event { return newErrorEvent(value, belowPanic(stack)) })
}

// unhandled marks an event as a panic that the program did not recover itself.
func unhandled(e *Event) { e.Mechanism = new(Mechanism) }

// Recover stops a panic and reports it as unhandled. Defer it directly:
//
//	defer obs.Recover()
//
// With [Options].Repanic, the panic continues after it has been reported. In that case, and in the
// main goroutine, the process is likely to exit next, so Recover first waits up to two seconds for
// the event to be accepted.
func Recover(options ...Option) {
	value := recover() // Has an effect only here, in the deferred function itself.
	if value == nil {
		return
	}
	CapturePanic(value, append([]Option{unhandled}, options...)...)
	repanic := current.Load().Repanic
	if repanic || index(callers(), "runtime.main") >= 0 { // In the main goroutine.
		Flush(2 * time.Second)
	}
	if repanic {
		panic(value)
	}
}

// Handler reports panics in next as unhandled, along with the method and path of the request. It then
// panics again, so that net/http or an outer middleware handles the panic as usual. It does not report
// [http.ErrAbortHandler].
//
//go:noinline
func Handler(next http.Handler) http.Handler { // If inlined, its closures would appear to belong to the program.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if value := recover(); value != nil {
				request := map[string]any{"method": r.Method, "path": r.URL.Path} // The query often holds secrets.
				CapturePanic(value, unhandled, WithExtra(map[string]any{"request": request}))
				panic(value)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// Flush waits until the server has accepted all captured events, and reports whether it has. It
// returns false if the timeout expires, or if an event captured since the last Flush was lost.
// Events not yet accepted stay in the queue and are still sent later.
func Flush(timeout time.Duration) bool {
	return outgoing.flush(time.Now().Add(timeout))
}
