// The client: its state, and the way of an event from a capture into the queue.

package obs

import (
	"maps"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	maxQueued = 2048    // events, with the one in flight and those held back
	maxBytes  = 8 << 20 // of them
)

type client struct {
	options       Options
	endpoint, key string // no endpoint: nothing is captured
	http          *http.Client
	sources       sources

	mu         sync.Mutex // guards all below
	previous   *client    // what Init replaced, while that has events: flush waits for it too
	changed    *sync.Cond // something below did, or a wait is over
	queue      [][]byte   // events as JSON, in the order of capture; the first may be in flight
	windows    map[kind]*window
	byAge      []*window // the same, the oldest first
	stored     int       // events that are queued or held back
	bytes      int       // of them
	queued     int       // events that ever were queued
	settled    int       // of them, those that were accepted or lost: the first ones
	lost       int       // events that will never be accepted
	reported   int       // of them, those that a flush knows of
	dropped    int       // of them, those that found the queue full, in this period of trouble
	broken     int       // attempts to send the first in the queue that the server itself failed at
	failures   int       // in a row, since a flush
	notBefore  time.Time // the next attempt
	ordered    bool      // by the server, which sent Retry-After
	flushing   int       // flushes that wait
	working    bool      // the goroutine that sends
	retired    time.Time // when Init replaced this client
	complained map[string]bool
}

// newClient fills in the defaults.
func newClient(o Options) *client {
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
	c := &client{options: o, http: newHTTPClient(o), windows: map[kind]*window{}, complained: map[string]bool{}}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// capture makes an event and queues it. What is captured, the options and BeforeSend are code of the program, which
// may panic: that costs this event, and nothing else.
func (c *client) capture(thing any, level Level, options []Option) (id string) {
	doing := "making an event"
	defer func() {
		if value := recover(); value != nil {
			id = ""
			c.lose(doing, "%s panicked (%T); the event is lost", doing, value)
		}
	}()
	if c.endpoint == "" {
		c.lose(unusable, "nothing is sent: Init was not called")
		return ""
	}
	frames, hooked := callers()
	if hooked {
		return ""
	}
	e := newEvent(thing, level)
	if e.Type != "" {
		e.Stacktrace = c.stacktrace(frames)
	}
	e.Environment, e.ServerName, e.Release = c.options.Environment, c.options.ServerName, c.options.Release
	e.Extra = maps.Clone(c.options.Extra)
	for _, option := range options {
		option(e)
	}
	id = e.EventID
	doing = "BeforeSend"
	if e = c.beforeSend(e); e == nil {
		return ""
	}
	doing = "encoding an event"
	e.EventID = id
	if !c.admit(kindOf(e), encode(e)) {
		return ""
	}
	return id
}

// beforeSend has a name of its own, for callers to find.
func (c *client) beforeSend(e *Event) *Event {
	if c.options.BeforeSend == nil {
		return e
	}
	return c.options.BeforeSend(e)
}

// admit queues an event, or holds it back, or drops it, and says whether it was queued.
func (c *client) admit(of kind, event []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.working {
		c.working = true
		go c.work()
	}
	c.changed.Broadcast()
	w := c.windowOf(of)
	if w.sent == maxSame {
		c.hold(w, event)
		return false
	}
	w.sent++
	if !c.room(1, len(event)) {
		c.drop()
		return false
	}
	c.stored++
	c.enqueue(event)
	return true
}

func (c *client) room(events, bytes int) bool {
	return c.stored+events <= maxQueued && c.bytes+bytes <= maxBytes
}

func (c *client) enqueue(event []byte) {
	c.queue = append(c.queue, event)
	c.bytes += len(event)
	c.queued++
}

func (c *client) drop() {
	c.lost++
	c.dropped++
	c.complain(full, "the queue is full (%d events or %d bytes); events are dropped", maxQueued, maxBytes)
}

// retire lets the client send what it has, and then end. It answers what a flush must still ask: this client, unless it is done.
func (c *client) retire() *client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.retired.IsZero() {
		c.retired = time.Now()
		c.changed.Broadcast()
	}
	if c.previous != nil {
		c.previous = c.previous.retire()
	}
	if c.stored == 0 && c.lost == c.reported {
		return c.previous
	}
	return c
}
