// What waits to be sent: the queue, what is held back because it comes too often, and Flush.

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
	maxQueued = 2048        // reports, with the one in flight and those held back
	maxBytes  = 8 << 20     // of them
	maxSame   = 100         // reports of one kind that go out in a period; of the others, the last is held back
	period    = time.Minute // from the kind's first report
	maxKinds  = 1000        // that are told apart
	maxOthers = 1_000_000   // that one report may stand for; the server's limit
	maxLines  = 20          // that standard error has not taken
	unusable  = "nothing is sent: %v"
)

// A report is an event as JSON, and where it goes.
type report struct {
	to         *client
	kind       [sha256.Size]byte
	event      []byte
	number     int // in the order of capture
	suppressed int // others of its kind that it stands for
	broken     int // attempts that the server itself failed at
}

// kindOf hashes what equal events have in common: where they go, type, message, and where they come from.
func kindOf(to *client, e *Event) [sha256.Size]byte {
	top := e.Stacktrace[:min(len(e.Stacktrace), 1)]
	return sha256.Sum256(fmt.Appendf(nil, "%s %q %q %+v", to.endpoint, e.Type, e.Message, top))
}

// A window is the current period of one kind.
type window struct {
	kind [sha256.Size]byte
	ends time.Time
	sent int
	held *report // the last one that was not sent
}

// The outbox is one for all clients, so that Init can be called again at any time.
type outbox struct {
	*sync.Cond // something below has changed, or a wait is over; its lock guards all of it
	start      sync.Once
	queue      []*report // in the order of capture; one of them may be in flight
	windows    []*window // the oldest first
	stored     int       // reports that are queued or held back
	bytes      int       // of them
	captured   int       // reports that ever came
	lost       int       // events that will never be accepted
	reported   int       // of them, those that a flush knows of
	dropped    int       // events that found the queue full since it was last empty
	flushing   int       // flushes that wait
	complained map[string]bool
	lines      []string // for standard error; the first is being written
}

var outgoing = &outbox{Cond: sync.NewCond(new(sync.Mutex)), complained: map[string]bool{}}

// add queues a report, or holds it back, or drops it, and says whether it was queued.
func (o *outbox) add(r *report) bool {
	o.L.Lock()
	defer o.L.Unlock()
	o.start.Do(func() { go o.send() })
	o.Broadcast()
	o.captured++
	r.number = o.captured
	w := o.window(r.kind)
	fits := o.stored < maxQueued && o.bytes+len(r.event) <= maxBytes
	switch {
	case fits && w.sent < maxSame:
		w.sent++
		o.store(r, 1)
		o.queue = append(o.queue, r)
		return true
	case fits:
		if w.held != nil {
			r.suppressed = w.held.suppressed + 1
			o.store(w.held, -1)
		}
		o.store(r, 1)
		w.held = r
	case w.held != nil:
		w.held.suppressed++
	default:
		o.dropped++
		o.lose("the queue is full (%d events or %d bytes); events are dropped", maxQueued, maxBytes)
	}
	if w.held != nil && w.held.suppressed == maxOthers {
		o.letGo(w)
	}
	return false
}

func (o *outbox) store(r *report, count int) {
	o.stored += count
	o.bytes += count * len(r.event)
}

// window finds the current period of a kind, or begins one.
func (o *outbox) window(kind [sha256.Size]byte) *window {
	o.endWindows(maxKinds)
	for _, w := range o.windows {
		if w.kind == kind {
			return w
		}
	}
	o.endWindows(maxKinds - 1)
	w := &window{kind: kind, ends: time.Now().Add(period)}
	o.windows = append(o.windows, w)
	return w
}

// endWindows ends those whose time is over, and the oldest beyond so many.
func (o *outbox) endWindows(limit int) {
	for len(o.windows) > limit || len(o.windows) > 0 && !time.Now().Before(o.windows[0].ends) {
		o.letGo(o.windows[0])
		o.windows = o.windows[1:]
	}
}

func (o *outbox) letGo(w *window) {
	if w.held != nil {
		o.queue = append(o.queue, w.held)
		w.held = nil
	}
}

// flush sends what is held back, tries at once, unless the server asked for a pause, and waits.
func (o *outbox) flush(deadline time.Time) bool {
	o.L.Lock()
	defer o.L.Unlock()
	for _, w := range o.windows {
		o.letGo(w)
	}
	for _, r := range o.queue {
		if !r.to.ordered {
			r.to.notBefore = time.Time{}
		}
	}
	known, last := o.reported, o.captured
	waits := func() bool { return slices.ContainsFunc(o.queue, func(r *report) bool { return r.number <= last }) }
	o.flushing++
	o.Broadcast()
	for (waits() || len(o.lines) > 0) && time.Now().Before(deadline) {
		o.wait(deadline)
	}
	o.flushing--
	o.reported = o.lost
	return !waits() && o.lost == known
}

// wait waits until something changes, but not past a time.
func (o *outbox) wait(until time.Time) {
	alarm := time.AfterFunc(time.Until(until), func() {
		o.L.Lock() // It must not ring before the wait has begun.
		defer o.L.Unlock()
		o.Broadcast()
	})
	defer alarm.Stop()
	o.Wait()
}

// lose counts an event that will never be accepted, and says why.
func (o *outbox) lose(why string, args ...any) {
	o.lost++
	o.complain(why, args...)
}

// complain says one line on standard error, once until the queue is empty, never with the key or with what was captured.
func (o *outbox) complain(of string, args ...any) {
	if o.complained[of] || len(o.lines) == maxLines {
		return
	}
	o.complained[of] = true
	if o.lines = append(o.lines, fmt.Sprintf("obs: "+of+"\n", args...)); len(o.lines) == 1 {
		go o.print()
	}
}

// print writes the lines, with the outbox unlocked: nobody may read standard error, and then it takes for ever.
func (o *outbox) print() {
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
