// What a program calls: Init, the captures and their options, Recover, Flush.

package obs

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Version is this SDK's version, as events carry it.
const Version = "1.0.0"

// Options say where events go and what is in them. Only DSN is required.
type Options struct {
	DSN         string         // http://KEY@HOST:PORT
	Environment string         // production, staging, …
	ServerName  string         // default: the host's name
	Release     string         // the program's version
	Extra       map[string]any // goes with every event, under what [WithExtra] adds

	// BeforeSend may edit an event, or drop it by returning nil. It runs in the goroutine that
	// captures, at times in several at once. The values in Extra are the program's own: replace them, do not
	// change them. An event whose BeforeSend panics is dropped; what it captures itself is ignored.
	BeforeSend func(*Event) *Event

	NoSourceLines bool // send no lines of source code
	Repanic       bool // Recover panics again after it has captured, so that the process ends as it would have

	ConnectTimeout time.Duration // of one connection; default: 2 seconds
	SendTimeout    time.Duration // of one attempt to send an event, from connecting to the answer; default: 5 seconds
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

// There is always a current client; the one before the first Init has no DSN, and sends nothing.
var (
	current      atomic.Pointer[client]
	initialising sync.Mutex
)

func active() *client {
	if current.Load() == nil {
		current.CompareAndSwap(nil, newClient(Options{}))
	}
	return current.Load()
}

// Init sets the package up. It answers nothing, since a program should start whether or not its
// errors can be reported: a bad DSN is one line on standard error. Init called again replaces
// the options; what was captured before is still sent to where it was meant to go.
func Init(options Options) {
	initialising.Lock()
	defer initialising.Unlock()
	c := newClient(options)
	var err error
	if c.endpoint, c.key, err = parseDSN(options.DSN); err != nil {
		c.complain(unusable, "nothing is sent: %v", err)
	}
	old := active()
	c.previous = old
	current.Store(c)
	unfinished := old.retire()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.previous = unfinished
}

// CaptureException reports an error, with the stack of the calling goroutine: Go's errors carry none. It returns the event's id, or ""
// where nothing will be sent under an id of its own: err is nil, the event was dropped or held back, or obs is not set up.
func CaptureException(err error, options ...Option) string {
	if err == nil {
		return ""
	}
	return active().capture(err, LevelError, options)
}

// CaptureMessage reports a text, at the level info. It returns the same as [CaptureException].
func CaptureMessage(message string, options ...Option) string {
	return active().capture(note(message), LevelInfo, options)
}

// Recover, when deferred itself, ends a panic and reports it. With [Options].Repanic it reports the panic, waits up to
// two seconds until that is accepted, and lets the panic go on.
//
//	defer obs.Recover()
func Recover(options ...Option) {
	value := recover() // Works only here: in the deferred function itself.
	if value == nil {
		return
	}
	c := active()
	c.capture(value, LevelError, options)
	if c.options.Repanic {
		Flush(2 * time.Second)
		panic(value)
	}
}

// Flush sends what waits, and returns true as soon as all that was captured has been accepted.
// It returns false when the time is up, or if anything captured since the last Flush was lost. What is not yet accepted
// stays in the queue; the package works on.
func Flush(timeout time.Duration) bool {
	return active().flush(time.Now().Add(timeout))
}
