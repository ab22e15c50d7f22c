// The outbox: the queue, the events held back as repeats, and Flush.

package obs

import (
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	maxQueued     = 2048        // entries queued, in flight or held back
	maxBytes      = 8 << 20     // bytes of their bodies
	maxRepeats    = 100         // entries with the same identity sent per window; the rest are held back
	windowLength  = time.Minute // from the first entry with an identity
	maxWindows    = 1000        // identities tracked at a time
	maxSuppressed = 1_000_000   // the server's limit for one event
	maxLines      = 20          // log lines that wait for standard error
	disabled      = "no events will be sent: %v"
)

// An entry is an encoded event and its destination.
type entry struct {
	client     *client
	identity   [sha256.Size]byte
	body       []byte
	number     int // in order of capture
	suppressed int // number of earlier repeats that were dropped in favour of this one
	failures   int // attempts answered with 5xx other than 502 to 504
}

// identify hashes what repeats of an event have in common: endpoint, type, message and top frame.
func identify(c *client, e *Event) [sha256.Size]byte {
	top := e.Stacktrace[:min(len(e.Stacktrace), 1)]
	return sha256.Sum256(fmt.Appendf(nil, "%s %q %q %+v", c.endpoint, e.Type, e.Message, top))
}

// A window counts the entries with the same identity during one minute.
type window struct {
	identity [sha256.Size]byte
	ends     time.Time
	sent     int
	held     *entry // the latest one that was not sent
}

// An outbox holds the entries of all clients, so that Init can be called again at any time.
type outbox struct {
	*sync.Cond // signals any change below; its lock guards all fields
	start      sync.Once
	queue      []*entry  // in order of capture; one may be in flight
	windows    []*window // oldest first
	stored     int       // number of entries queued or held back
	bytes      int       // total size of their bodies
	captured   int       // number of entries ever added
	lost       int       // number of events that will never be accepted
	reported   int       // value of lost at the end of the last flush
	dropped    int       // events dropped since the queue was last empty
	flushing   int       // number of flushes in progress
	logged     map[string]bool
	lines      []string // log lines not yet written; the first is being written
}

var outgoing = &outbox{Cond: sync.NewCond(new(sync.Mutex)), logged: map[string]bool{}}

// add queues an entry, holds it back or drops it, and reports whether it was queued.
func (o *outbox) add(e *entry) bool {
	o.L.Lock()
	defer o.L.Unlock()
	o.start.Do(func() { go o.run() })
	o.Broadcast()
	o.captured++
	e.number = o.captured
	w := o.window(e.identity)
	fits := o.stored < maxQueued && o.bytes+len(e.body) <= maxBytes
	switch {
	case fits && w.sent < maxRepeats:
		w.sent++
		o.store(e, 1)
		o.queue = append(o.queue, e)
		return true
	case fits:
		if w.held != nil {
			e.suppressed = w.held.suppressed + 1
			o.store(w.held, -1)
		}
		o.store(e, 1)
		w.held = e
	case w.held != nil:
		w.held.suppressed++
	default:
		o.dropped++
		o.lose("the queue is full (%d events or %d bytes); dropping events", maxQueued, maxBytes)
	}
	if w.held != nil && w.held.suppressed == maxSuppressed {
		o.release(w)
	}
	return false
}

// store updates the totals for an entry that is added (1) or removed (-1).
func (o *outbox) store(e *entry, count int) {
	o.stored += count
	o.bytes += count * len(e.body)
}

// window returns the current window of an identity, starting one if needed.
func (o *outbox) window(identity [sha256.Size]byte) *window {
	o.endWindows(maxWindows)
	for _, w := range o.windows {
		if w.identity == identity {
			return w
		}
	}
	o.endWindows(maxWindows - 1)
	w := &window{identity: identity, ends: time.Now().Add(windowLength)}
	o.windows = append(o.windows, w)
	return w
}

// endWindows ends the windows that are over, and the oldest ones if there are more than limit.
func (o *outbox) endWindows(limit int) {
	for len(o.windows) > limit || len(o.windows) > 0 && !time.Now().Before(o.windows[0].ends) {
		o.release(o.windows[0])
		o.windows = o.windows[1:]
	}
}

// release queues the entry that a window holds back.
func (o *outbox) release(w *window) {
	if w.held != nil {
		o.queue = append(o.queue, w.held)
		w.held = nil
	}
}

// flush releases what is held back, ends all pauses except those requested by a server, and waits.
func (o *outbox) flush(deadline time.Time) bool {
	o.L.Lock()
	defer o.L.Unlock()
	for _, w := range o.windows {
		o.release(w)
	}
	for _, e := range o.queue {
		if !e.client.requested {
			e.client.notBefore = time.Time{}
		}
	}
	reported, last := o.reported, o.captured
	waiting := func() bool { return slices.ContainsFunc(o.queue, func(e *entry) bool { return e.number <= last }) }
	o.flushing++
	o.Broadcast()
	for (waiting() || len(o.lines) > 0) && time.Now().Before(deadline) {
		o.wait(deadline)
	}
	o.flushing--
	o.reported = o.lost
	return !waiting() && o.lost == reported
}

// wait waits for a change, at most until the given time.
func (o *outbox) wait(until time.Time) {
	timer := time.AfterFunc(time.Until(until), func() {
		o.L.Lock() // Not before Wait has released the lock, or the signal would be missed.
		defer o.L.Unlock()
		o.Broadcast()
	})
	defer timer.Stop()
	o.Wait()
}

// lose counts an event that will never be accepted, and logs the reason.
func (o *outbox) lose(reason string, args ...any) {
	o.lost++
	o.log(reason, args...)
}

// log writes a line to standard error, each format once until the queue is empty. Lines never contain
// the key or data of an event.
func (o *outbox) log(format string, args ...any) {
	if o.logged[format] || len(o.lines) == maxLines {
		return
	}
	o.logged[format] = true
	if o.lines = append(o.lines, fmt.Sprintf("obs: "+format+"\n", args...)); len(o.lines) == 1 {
		go o.writeLines()
	}
}

// writeLines writes with the outbox unlocked, because a write blocks if nothing reads standard error.
func (o *outbox) writeLines() {
	o.L.Lock()
	defer o.L.Unlock()
	for len(o.lines) > 0 {
		line := o.lines[0]
		o.L.Unlock()
		_, _ = os.Stderr.WriteString(line)
		o.L.Lock()
		o.lines = o.lines[1:]
	}
	o.Broadcast()
}
