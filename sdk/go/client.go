// The client: the configuration made by Init, and the path of an event from capture to outbox.

package obs

import (
	"maps"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

type client struct {
	Options
	endpoint, key string // empty if the DSN is invalid
	http          *http.Client
	*backoff
}

var current atomic.Pointer[client]

// load returns the current client, or one without an endpoint before Init.
func load() *client {
	if c := current.Load(); c != nil {
		return c
	}
	return new(client)
}

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
	return &client{Options: o, endpoint: endpoint, key: key, backoff: new(backoff), http: &http.Client{
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

// capture fills in an event and queues it. Options and BeforeSend are the program's code: if they
// panic, only this event is lost.
func capture(e *Event, options []Option) (id string) {
	defer func() {
		if value := recover(); value != nil {
			lose("BeforeSend or an option panicked (%T); the event was dropped", value)
			id = ""
		}
	}()
	c := load()
	if c.endpoint == "" {
		lose(disabled, "Init was not called with a valid DSN")
		return ""
	}
	stack := callers()
	if nested(stack) {
		return ""
	}
	if e.Type != "" {
		e.Stacktrace = stacktrace(stack, !c.NoSourceLines)
	}
	now := time.Now()
	id = newID(now)
	e.Timestamp = now.UTC().Format("2006-01-02T15:04:05.000Z")
	e.Platform, e.SDK = "go", map[string]string{"name": "obs-go", "version": Version}
	e.Environment, e.ServerName, e.Release = c.Environment, c.ServerName, c.Release
	e.Extra = maps.Clone(c.Extra)
	for _, option := range options {
		option(e)
	}
	if c.BeforeSend != nil {
		e.EventID = id
		if e = c.BeforeSend(e); e == nil {
			return ""
		}
	}
	e.EventID = id // BeforeSend must not change it: the server recognises retries by it.
	body := encode(e)
	if body == nil {
		lose("an event was dropped because it exceeds %d bytes", maxEvent)
		return ""
	}
	if !outgoing.add(&entry{client: c, identity: identify(c, e), body: body}) {
		return ""
	}
	return id
}

// lose records an event that is lost before it reaches the outbox.
func lose(reason string, args ...any) {
	outgoing.L.Lock()
	defer outgoing.L.Unlock()
	outgoing.lose(reason, args...)
}
