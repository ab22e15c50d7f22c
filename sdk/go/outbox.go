// The outbox: the queue, the events held back as repeats, and Flush.

package obs

import (
	"crypto/sha256"
	"fmt"
	"os"
	"sync"
	"time"
)

const (
	maxQueued     = 2048        // entries queued, in flight or held back
	maxBytes      = 8 << 20     // bytes of their bodies
	windowLength  = time.Minute // repeats are counted in
	maxRepeats    = 100         // entries with the same identity sent per window; the rest are held back
	maxIdentities = 1000        // tracked at a time; more end the window
	maxSuppressed = 1_000_000   // the server's limit for one event
	maxLines      = 20          // log lines that wait for standard error
	disabled      = "no events will be sent: %v"
	misuse        = "misuse: " // begins the lines that are logged only once
)

// An entry is an encoded event.
type entry struct {
	captured   time.Time // by the monotonic clock, which a formatted or converted time loses
	identity   [sha256.Size]byte
	body       []byte
	suppressed int // number of earlier repeats that were dropped in favour of this one
	failures   int // attempts answered with 5xx other than 502 to 504
}

// identify hashes what repeats of an event have in common: type, message and top frame.
func identify(e *Event) [sha256.Size]byte {
	top := e.Stacktrace[:min(len(e.Stacktrace), 1)]
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %+v", e.Type, e.Message, top))
}

// repeats counts the entries with the same identity in the current window.
type repeats struct {
	sent int
	held *entry // the latest one that was not sent
}

// An outbox holds the entries until the server has accepted them, across calls of Init.
type outbox struct {
	*sync.Cond         // signals any change below; its lock guards all fields
	client     *client // of the last Init with a valid DSN
	backoff
	queue    []*entry // the first may be in flight
	repeated map[[sha256.Size]byte]*repeats
	ends     time.Time // of the current window
	stored   int       // number of entries queued or held back
	bytes    int       // total size of their bodies
	removed  int       // number of entries that ever left the queue
	lost     int       // number of events that will never be accepted
	reported int       // value of lost at the end of the last flush
	dropped  int       // events dropped since the queue was last empty
	logged   map[string]bool
	writing  int // number of log lines not yet written
}

var outgoing = &outbox{Cond: sync.NewCond(new(sync.Mutex)), logged: map[string]bool{}, repeated: map[[sha256.Size]byte]*repeats{}}

// use makes c the client that sends. Another server need not wait for the pause of the one before.
func (o *outbox) use(c *client) {
	if old := o.client; old == nil {
		go o.run()
	} else if old.http.CloseIdleConnections(); old.endpoint != c.endpoint {
		o.backoff = backoff{}
	}
	o.client = c
	o.Broadcast()
}

// add queues an entry, holds it back or drops it, and reports whether it was queued.
func (o *outbox) add(e *entry) bool {
	o.L.Lock()
	defer o.L.Unlock()
	defer o.Broadcast()
	r := o.repeated[e.identity]
	if r == nil || !time.Now().Before(o.ends) {
		o.endWindow(maxIdentities - 1)
		r = new(repeats)
		o.repeated[e.identity] = r
	}
	fits := o.stored < maxQueued && o.bytes+len(e.body) <= maxBytes
	switch {
	case fits && r.sent < maxRepeats:
		r.sent++
		o.store(e, 1)
		o.queue = append(o.queue, e)
		return true
	case fits:
		if r.held != nil {
			e.suppressed = r.held.suppressed + 1
			o.store(r.held, -1)
		}
		o.store(e, 1)
		r.held = e
	case r.held != nil:
		r.held.suppressed++
	default:
		o.dropped++
		o.lost++
		o.log("the queue is full (%d events or %d bytes); dropping events", maxQueued, maxBytes)
	}
	if r.held != nil && r.held.suppressed == maxSuppressed {
		o.release()
	}
	return false
}

// store updates the totals for an entry that is added (1) or removed (-1).
func (o *outbox) store(e *entry, count int) {
	o.stored += count
	o.bytes += count * len(e.body)
}

// endWindow ends the window if it is over or has more identities than limit.
func (o *outbox) endWindow(limit int) {
	if len(o.repeated) > limit || !time.Now().Before(o.ends) {
		o.release()
		clear(o.repeated)
		o.ends = time.Now().Add(windowLength)
	}
}

// release queues the entries that are held back.
func (o *outbox) release() {
	for _, r := range o.repeated {
		if r.held != nil {
			o.queue = append(o.queue, r.held)
			r.held = nil
		}
	}
}

// flush releases what is held back, starts over with short pauses unless the server requested one, and waits.
func (o *outbox) flush(deadline time.Time) bool {
	o.L.Lock()
	defer o.L.Unlock()
	o.release()
	if !o.requested {
		o.backoff = backoff{}
	}
	reported, last := o.reported, o.removed+len(o.queue)
	o.Broadcast()
	for (o.removed < last || o.writing > 0) && time.Now().Before(deadline) {
		o.wait(deadline)
	}
	o.reported = o.lost
	return o.removed >= last && o.lost == reported
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

// log writes a line to standard error, each format once until the queue is empty, or only once if it is a
// misuse. Lines never contain the key or data of an event. A write blocks if nothing reads standard error, so the
// outbox does not wait for it.
func (o *outbox) log(format string, args ...any) {
	if o.logged[format] || o.writing == maxLines {
		return
	}
	o.logged[format] = true
	o.writing++
	go func() {
		fmt.Fprintf(os.Stderr, "obs: "+format+"\n", args...)
		o.L.Lock()
		defer o.L.Unlock()
		o.writing--
		o.Broadcast()
	}()
}
