// The client: the configuration made by Init, and the path of an event from capture to outbox.

package obs

import (
	"maps"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

type client struct {
	Options
	endpoint, key string // empty if the DSN is invalid
	http          *http.Client
}

var current atomic.Pointer[client]

func init() { current.Store(new(client)) }

// newClient applies the defaults. It returns a client, without an endpoint, even if the DSN is invalid.
func newClient(o Options) (*client, error) {
	o.Extra = maps.Clone(o.Extra) // The program may modify its own copy later.
	if o.ServerName == "" {
		o.ServerName, _ = os.Hostname()
	}
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = 2 * time.Second
	}
	if o.SendTimeout <= 0 {
		o.SendTimeout = 5 * time.Second
	}
	endpoint, key, err := parseDSN(o.DSN)
	return &client{Options: o, endpoint: endpoint, key: key, http: &http.Client{
		Timeout: o.SendTimeout,
		// A redirect would send the key to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: o.ConnectTimeout}).DialContext,
			TLSHandshakeTimeout: o.ConnectTimeout,
			IdleConnTimeout:     50 * time.Second, // The server closes idle connections after 60 seconds.
		},
	}}, err
}

// capture makes an event from the stack of the caller, fills it in and queues it. Options and BeforeSend
// are the program's code: if they panic, only this event is lost.
func capture(options []Option, newEvent func(stack []runtime.Frame) *Event) (id string) {
	defer func() {
		if value := recover(); value != nil {
			report(1, "BeforeSend or an option panicked (%T); the event was dropped", value)
			id = ""
		}
	}()
	c := current.Load()
	if c.endpoint == "" {
		report(1, disabled, "Init was not called with a valid DSN")
		return ""
	}
	stack := callers()
	if index(stack, ownPackage+".capture") >= 0 { // Called by BeforeSend or an Error method, which could recurse without end.
		return ""
	}
	e, now := newEvent(stack), time.Now()
	id = newID(now)
	e.EventID, e.Timestamp = id, now.UTC().Format("2006-01-02T15:04:05.000Z")
	e.Platform, e.SDK = "go", map[string]string{"name": "obs-go", "version": Version}
	e.Environment, e.ServerName, e.Release = c.Environment, c.ServerName, c.Release
	e.Extra = map[string]any{} // Never nil, so that options and BeforeSend can add to it.
	maps.Copy(e.Extra, c.Extra)
	for _, option := range options {
		if option == nil {
			report(0, misuse+"a nil Option was ignored")
			continue
		}
		option(e)
	}
	if c.BeforeSend != nil {
		if e = c.BeforeSend(e); e == nil {
			return ""
		}
	}
	if e.Level != LevelError && e.Level != LevelWarning && e.Level != LevelInfo {
		report(0, misuse+"unknown level %.20q; the levels are LevelError, LevelWarning and LevelInfo", e.Level)
	}
	if len(e.Fingerprint) > maxParts {
		report(0, misuse+"a fingerprint has at most %d strings; the others were dropped", maxParts)
	}
	e.EventID = id // BeforeSend must not change it: the server recognises retries by it.
	body := encode(e)
	if body == nil {
		report(1, "an event was dropped because it exceeds %d bytes", maxEvent)
		return ""
	}
	if !outgoing.add(&entry{captured: now, identity: identify(e), body: body}) {
		return ""
	}
	return id
}

// report counts events that are lost before they reach the outbox, and logs a line.
func report(lost int, format string, args ...any) {
	outgoing.L.Lock()
	defer outgoing.L.Unlock()
	outgoing.lost += lost
	outgoing.log(format, args...)
}
