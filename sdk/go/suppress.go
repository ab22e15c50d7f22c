// Holds back what comes too often: a hundred events of one kind a minute go out, then one that stands for the rest.

package obs

import (
	"crypto/sha256"
	"fmt"
	"time"
)

const (
	maxSame  = 100         // events of one kind that go out in a period
	period   = time.Minute // from the first of them
	maxKinds = 1000        // that are told apart
	maxOther = 1_000_000   // events that one may stand for; the server's limit
)

// A kind is what equal events have in common: type, message, and where they come from.
type kind [sha256.Size]byte

func kindOf(e *Event) kind {
	var top Frame
	if len(e.Stacktrace) > 0 {
		top = e.Stacktrace[0]
	}
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %d", e.Type, e.Message, top.Function, top.Filename, top.Lineno))
}

// A window is one kind's current period.
type window struct {
	of   kind
	ends time.Time
	sent int
	held int    // how many were held back
	last []byte // the last of them
}

// windowOf finds the kind's window, or opens one. Like all below, it is called with the client locked.
func (c *client) windowOf(of kind) *window {
	now := time.Now()
	c.endWindows(now)
	w := c.windows[of]
	if w == nil {
		w = &window{of: of, ends: now.Add(period)}
		c.windows[of] = w
		c.byAge = append(c.byAge, w)
		if len(c.byAge) > maxKinds {
			c.endOldest()
		}
	}
	return w
}

// hold keeps an event in place of the one that was held before. Where there is no room, that one stands for this one too.
func (c *client) hold(w *window, event []byte) {
	if w.held > maxOther {
		c.letGo(w)
	}
	first := 0
	if w.held == 0 {
		first = 1
	}
	if grown := len(event) - len(w.last); c.room(first, grown) {
		c.stored += first
		c.bytes += grown
		w.last = event
	} else if w.held == 0 {
		c.drop()
		return
	}
	w.held++
}

// letGo queues what is held back, which says how many others it stands for. Its room it has already.
func (c *client) letGo(w *window) {
	if w.held == 0 {
		return
	}
	event := w.last
	c.bytes -= len(event)
	if w.held > 1 {
		event = append(fmt.Appendf(nil, `{"suppressed":%d,`, w.held-1), event[1:]...)
	}
	w.held, w.last = 0, nil
	c.enqueue(event)
}

// endWindows closes the windows whose time is over: all, once the client is retired.
func (c *client) endWindows(now time.Time) {
	for len(c.byAge) > 0 && (!c.retired.IsZero() || !now.Before(c.byAge[0].ends)) {
		c.endOldest()
	}
}

func (c *client) endOldest() {
	w := c.byAge[0]
	c.byAge = c.byAge[1:]
	delete(c.windows, w.of)
	c.letGo(w)
}
