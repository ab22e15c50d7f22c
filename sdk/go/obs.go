// What a program calls: Init, the captures and their options, Recover, Handler, Flush.

package obs

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"time"
)

// Version is this SDK's version, as events carry it.
const Version = "0.1.0"

// Options say where events go and what is in them. Only DSN is required.
type Options struct {
	DSN         string         // http://KEY@HOST:PORT
	Environment string         // production, staging, …
	ServerName  string         // default: the host's name
	Release     string         // the program's version
	Extra       map[string]any // goes with every event, under what [WithExtra] adds

	// BeforeSend may edit an event, or drop it by returning nil. It runs in the goroutine that
	// captures, at times in several at once. The values in Extra are the program's own: replace them, do not
	// change them. An event whose BeforeSend panics is dropped; what it captures itself, in that goroutine, is ignored.
	BeforeSend func(*Event) *Event

	NoSourceLines bool // send no lines of source code
	Repanic       bool // Recover panics again after it has captured, so that the process ends as it would have

	ConnectTimeout time.Duration // of one connection; default: 2 seconds
	SendTimeout    time.Duration // of one attempt to send an event, from connecting to the answer; default: 5 seconds
}

// Init sets the package up. It answers nothing, since a program should start whether or not its
// errors can be reported: a bad DSN is one line on standard error. Init called again replaces
// the options; what was captured before is still sent to where it was meant to go.
func Init(options Options) {
	c, err := newClient(options)
	if err != nil {
		fmt.Fprintf(os.Stderr, "obs: "+unusable+"\n", err)
	}
	outgoing.L.Lock()
	defer outgoing.L.Unlock()
	outgoing.complained[unusable] = err != nil
	if old := current.Load(); old != nil {
		if old.endpoint == c.endpoint {
			c.pace = old.pace
		}
		old.http.CloseIdleConnections()
	}
	current.Store(c)
}

// An Option changes one captured event.
type Option func(*Event)

// WithExtra adds to what the event tells, key by key.
func WithExtra(extra map[string]any) Option {
	return func(e *Event) {
		if e.Extra == nil {
			e.Extra = make(map[string]any, len(extra))
		}
		maps.Copy(e.Extra, extra)
	}
}

// WithLevel replaces the capture's own level.
func WithLevel(level Level) Option {
	return func(e *Event) { e.Level = level }
}

// WithFingerprint groups events by these 1 to 8 parts, instead of by type and message.
func WithFingerprint(parts ...string) Option {
	return func(e *Event) { e.Fingerprint = parts }
}

// CaptureException reports an error, with the stack of the calling goroutine: Go's errors carry none. It returns the event's id, or ""
// where nothing will be sent under an id of its own: err is nil, the event was dropped or held back, or obs is not set up.
func CaptureException(err error, options ...Option) string {
	if err == nil {
		return ""
	}
	return capture(thrown(err), options)
}

// CaptureMessage reports a text, at the level info. It returns the same as [CaptureException].
func CaptureMessage(message string, options ...Option) string {
	return capture(&Event{Level: LevelInfo, Message: message}, options)
}

// Recover, when deferred itself, ends a panic and reports it. With [Options].Repanic it lets the panic go on. Then, and in
// the main goroutine, where the process is likely to end next, it first waits until the report is accepted, two seconds at most.
//
//	defer obs.Recover()
func Recover(options ...Option) {
	value := recover() // Works only here: in the deferred function itself.
	if value == nil {
		return
	}
	capture(thrown(value), options)
	again := load().Repanic
	if again || onMain() {
		Flush(2 * time.Second)
	}
	if again {
		panic(value)
	}
}

// Handler reports a panic of next, with the request's method and path, and lets it go on, so that net/http or an
// outer middleware answers as ever. http.ErrAbortHandler, which is no error, is not reported.
//
//go:noinline
func Handler(next http.Handler) http.Handler { // Inlined, its closures would be taken for functions of the program.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			if value != http.ErrAbortHandler {
				request := map[string]any{"method": r.Method, "path": r.URL.Path} // Never the query: it often holds secrets.
				capture(thrown(value), []Option{WithExtra(map[string]any{"request": request})})
			}
			panic(value)
		}()
		next.ServeHTTP(w, r)
	})
}

// Flush sends what waits, and returns true as soon as all that was captured has been accepted.
// It returns false when the time is up, or if anything captured since the last Flush was lost. What is not yet accepted
// stays in the queue; the package works on.
func Flush(timeout time.Duration) bool {
	return outgoing.flush(time.Now().Add(timeout))
}
