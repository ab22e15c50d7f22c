// The client: what Init sets up, and the way of an event from a capture into the outbox.

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
	endpoint, key string // no endpoint: nothing is sent
	http          *http.Client
	*pace
}

var current atomic.Pointer[client]

// load answers the current client; before Init it is one that sends nothing.
func load() *client {
	if c := current.Load(); c != nil {
		return c
	}
	return new(client)
}

// newClient fills in the defaults. Its client is usable, and sends nothing, where the DSN is bad.
func newClient(o Options) (*client, error) {
	o.Extra = maps.Clone(o.Extra) // The program may change its own.
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
	return &client{Options: o, endpoint: endpoint, key: key, pace: new(pace), http: &http.Client{
		Timeout:       o.SendTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // The key is for one host.
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: o.ConnectTimeout}).DialContext,
			TLSHandshakeTimeout: o.ConnectTimeout,
			IdleConnTimeout:     50 * time.Second, // The server closes the connection after 60.
		},
	}}, err
}

// capture completes an event and hands it on. Options and BeforeSend are code of the program, which may panic: that
// costs this event, and nothing else.
func capture(e *Event, options []Option) (id string) {
	defer func() {
		if value := recover(); value != nil {
			id = lost("BeforeSend or an option panicked (%T); the event is lost", value)
		}
	}()
	c := load()
	if c.endpoint == "" {
		return lost(unusable, "Init was not called with a valid DSN")
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
	e.EventID = id // Whatever was done to it: a retry must be known by it.
	body := encode(e)
	if body == nil {
		return lost("an event stays larger than %d bytes, and is lost", maxEvent)
	}
	if !outgoing.add(&report{to: c, kind: kindOf(c, e), event: body}) { // Its texts are cut by now.
		return ""
	}
	return id
}

// lost answers the id of an event that goes nowhere.
func lost(why string, args ...any) string {
	outgoing.L.Lock()
	defer outgoing.L.Unlock()
	outgoing.lose(why, args...)
	return ""
}
