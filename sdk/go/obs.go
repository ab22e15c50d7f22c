// The public API: Init, the captures and Recover, and the path of an event from capture to outbox.

package obs

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"sync/atomic"
	"time"
)

// Version is the version of this SDK.
const Version = "0.2.0"

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

// A client is the configuration made by Init.
type client struct {
	Options
	endpoint, key string // empty if the DSN is invalid
	http          *http.Client
}

var current atomic.Pointer[client]
var hostname, _ = os.Hostname()
var schemeAndKey = regexp.MustCompile(`^https?://[A-Za-z0-9_-]{1,200}@`)
var projectNumber = regexp.MustCompile(`(/[0-9]+)?/*$`) // Sentry's, which means nothing

// Init configures the package. It returns no error, because a program should start even if its
// errors cannot be reported: if the DSN is invalid, Init prints one line to standard error and
// captures do nothing.
//
// Calling Init again replaces the options. Events that are still queued go to the new server, so
// that they survive a change of its address or key.
func Init(options Options) {
	c := &client{Options: options}
	defer current.Store(c)
	u, err := url.Parse(c.DSN)
	if err != nil || u.Hostname() == "" || !schemeAndKey.MatchString(c.DSN) {
		// Quoting it would print the key.
		say(0, disabled, "the DSN must have the form http://KEY@HOST:PORT, with a key from A-Z a-z 0-9 _ -")
		return
	}
	c.key = u.User.Username()
	c.endpoint = u.Scheme + "://" + u.Host + projectNumber.ReplaceAllString(u.EscapedPath(), "") + "/api/events"
	c.Extra = plainMap(c.Extra, maxEvent) // The program may modify its own later.
	dialer := &net.Dialer{Timeout: first(c.ConnectTimeout, 2*time.Second)}
	c.http = &http.Client{
		Timeout:   first(c.SendTimeout, 5*time.Second),
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext},
		// A redirect would send the key to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	outgoing.client.Store(c)
	outgoing.start.Do(func() {
		outgoing.window = time.AfterFunc(windowLength, outgoing.release)
		go outgoing.run()
	})
}

// first returns a value if it is greater than the zero value, and otherwise its default.
func first[T string | time.Duration](value, fallback T) T {
	if value > *new(T) {
		return value
	}
	return fallback
}

// CaptureException reports an error. If the error or one that it wraps carries a stack trace, as
// those of github.com/pkg/errors do, the event has the innermost one. Otherwise it has that of the
// calling goroutine.
//
// CaptureException returns the event's ID. It returns "" if err is nil or was captured before on its way up, if the
// event is dropped or held back as a repeat, or if the package is not configured.
func CaptureException(err error, options ...Option) string {
	if err == nil {
		return ""
	}
	return capture(options, func(stack []runtime.Frame) *Event { return errorEvent(err, stack, stack) })
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
	return capture(options, func(stack []runtime.Frame) *Event { return errorEvent(value, stack, belowPanic(stack)) })
}

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
	c := current.Load()
	repanic := c != nil && c.Repanic
	if repanic || index(callers(), "runtime.main") >= 0 { // In the main goroutine.
		Flush(2 * time.Second)
	}
	if repanic {
		panic(value)
	}
}

// capture makes an event from the stack of the caller, fills it in and queues it. Options and BeforeSend are the
// program's code: they may capture too, which could recurse without end, and if they panic, only this event is lost.
func capture(options []Option, newEvent func(stack []runtime.Frame) *Event) string {
	defer dropAfterPanic()
	c := current.Load()
	if c == nil || c.endpoint == "" {
		say(1, disabled, "Init was not called with a valid DSN")
		return ""
	}
	stack := callers()
	if index(stack, ownPackage+".capture") >= 0 {
		return ""
	}
	e, now := newEvent(stack), time.Now()
	if e == nil { // captured before
		return ""
	}
	id := newID(now)
	e.EventID, e.Timestamp = id, now.UTC().Format("2006-01-02T15:04:05.000Z")
	e.Platform, e.SDK = "go", map[string]string{"name": "obs-go", "version": Version}
	e.Environment, e.ServerName, e.Release = c.Environment, first(c.ServerName, hostname), c.Release
	e.apply(append([]Option{WithExtra(c.Extra), process.fill}, options...))
	if c.BeforeSend != nil {
		if e = c.BeforeSend(e); e == nil {
			return ""
		}
	}
	e.EventID = id // Not up to BeforeSend: the server recognizes retries by it.
	body := encode(e)
	identity := sha256.Sum256(fmt.Appendf(nil, "%q%q%+v", e.Type, e.Message, e.Stacktrace[:min(len(e.Stacktrace), 1)]))
	return outgoing.add(&entry{id: e.EventID, captured: now, identity: identity, body: body})
}

// dropAfterPanic is deferred where the program's code runs.
func dropAfterPanic() {
	if value := recover(); value != nil {
		say(1, "BeforeSend or an option panicked (%T); the event was dropped", value)
	}
}

// newID returns a version 7 UUID. Its first 48 bits are the time: time-ordered IDs are cheaper for the
// server to index.
func newID(now time.Time) string {
	var random [10]byte
	_, _ = rand.Read(random[:])
	random[0], random[2] = random[0]&0x0f|0x70, random[2]&0x3f|0x80
	millis := fmt.Sprintf("%012x", now.UnixMilli())
	return fmt.Sprintf("%s-%s-%x-%x-%x", millis[:8], millis[8:], random[:2], random[2:4], random[4:])
}
