// The outbox: holds events until the server has accepted them, counts repeats, and sends.

package obs

import (
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxBytes      = 8 << 20                // of all events that wait
	windowLength  = time.Minute            // repeats are counted in
	maxRepeats    = 100                    // entries with the same identity sent per window; the rest are held back
	maxIdentities = 1000                   // tracked at a time; more end the window
	minPause      = 500 * time.Millisecond // after a failed attempt
	disabled      = "no events will be sent: %v"
)

// An entry is an encoded event.
type entry struct {
	id         string
	captured   time.Time // by the monotonic clock, which a formatted or converted time loses
	identity   [32]byte  // a hash of what repeats have in common: type, message and top frame
	body       []byte
	suppressed int // number of repeats after it that were dropped
}

// An outbox lives as long as the process, across calls of Init.
type outbox struct {
	*sync.Cond // signals any change below; its lock guards what is not atomic
	start      sync.Once
	client     atomic.Pointer[client] // of the last Init with a valid DSN
	queue      []*entry               // the first may be in flight
	sent       map[[32]byte]int       // number of entries queued in the current window, by identity
	held       map[[32]byte]*entry    // those that followed maxRepeats others
	window     *time.Timer            // ends the window
	bytes      int                    // total size of the bodies in queue and held
	removed    int                    // number of entries that ever left the queue
	lost       atomic.Int64           // number of events lost since the last Flush
}

var outgoing = &outbox{Cond: sync.NewCond(new(sync.Mutex)), sent: map[[32]byte]int{}, held: map[[32]byte]*entry{}}

// add queues an entry and returns its ID, or it holds the entry back or drops it and returns "".
func (o *outbox) add(e *entry) string {
	o.L.Lock()
	defer o.L.Unlock()
	if held := o.held[e.identity]; held != nil {
		held.captured, held.suppressed = e.captured, min(held.suppressed+1, 1_000_000) // the server's limit
		return ""
	}
	if o.bytes+len(e.body) > maxBytes {
		say(1, "the queue is full (%d bytes); dropping events", maxBytes)
		return ""
	}
	o.bytes += len(e.body)
	if o.sent[e.identity] == maxRepeats {
		o.held[e.identity] = e
		return ""
	}
	if len(o.sent) == 0 {
		o.window.Reset(windowLength)
	} else if len(o.sent) == maxIdentities {
		go o.release()
	}
	o.sent[e.identity]++
	o.queue = append(o.queue, e)
	o.Broadcast()
	return e.id
}

// release queues the entries that are held back, and begins another window.
func (o *outbox) release() {
	o.L.Lock()
	defer o.L.Unlock()
	for _, e := range o.held {
		o.queue = append(o.queue, e)
	}
	clear(o.held)
	clear(o.sent)
	o.Broadcast()
}

// Flush waits until the server has accepted all captured events, and reports whether it has. It
// returns false if the timeout expires, or if an event captured since the last Flush was lost.
// Events not yet accepted stay in the queue and are still sent later.
func Flush(timeout time.Duration) bool {
	o, deadline := outgoing, time.Now().Add(timeout)
	o.release()
	o.L.Lock()
	defer o.L.Unlock()
	last := o.removed + len(o.queue)
	defer time.AfterFunc(timeout, o.release).Stop() // It signals, too.
	for o.removed < last && time.Now().Before(deadline) {
		o.Wait()
	}
	return o.lost.Swap(0) == 0 && o.removed >= last
}

// run sends entries for as long as the process lives.
func (o *outbox) run() {
	o.L.Lock()
	for {
		for len(o.queue) == 0 {
			o.Wait()
		}
		e := o.queue[0]
		o.L.Unlock()
		o.deliver(e)
		o.L.Lock()
		o.queue[0] = nil // The array would keep it in memory.
		o.queue = o.queue[1:]
		o.bytes -= len(e.body)
		o.removed++
		o.Broadcast()
	}
}

// deliver sends an entry until the server has accepted or rejected it.
func (o *outbox) deliver(e *entry) {
	for {
		c := o.client.Load()
		status, retryAfter, problem := e.post(c)
		switch {
		case status == http.StatusOK || status == http.StatusCreated:
			return
		case status != 0 && status != 408 && status != 429 && status < 500:
			say(1, "an event was rejected and dropped: %s", problem)
			return
		}
		say(0, "cannot send events, will retry: %s", problem)
		jitter := time.Duration(rand.Int63n(int64(time.Second))) // Many programs do not come back at once.
		until := time.Now().Add(max(minPause+jitter, retryAfter))
		for time.Now().Before(until) && o.client.Load() == c { // Init may name another server.
			time.Sleep(minPause / 10)
		}
	}
}

// post sends an entry. It returns the response's status (0 if there was no response), how long the server wants not to
// be asked again, and a description of the result.
func (e *entry) post(c *client) (status int, retryAfter time.Duration, problem string) {
	body := e.body
	if e.suppressed > 0 {
		body = append(fmt.Appendf(nil, `{"suppressed":%d,`, e.suppressed), body[1:]...)
	}
	request, err := http.NewRequest(http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err.Error()
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-OBS-Key", c.key)
	request.Header.Set("X-OBS-Age", fmt.Sprintf("%.3f", time.Since(e.captured).Seconds()))
	response, err := c.http.Do(request)
	if err != nil {
		return 0, 0, err.Error()
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // allows the connection to be reused
	retryAfter, _ = time.ParseDuration(response.Header.Get("Retry-After") + "s")
	status = response.StatusCode
	return status, min(retryAfter, 5*time.Minute), fmt.Sprint(status, " ", http.StatusText(status))
}

var saidAt sync.Map // the time of the last line, by its format

// say counts lost events and writes the reason to standard error, unless it was to write the same within the hour before.
// Lines never contain the key or data of an event.
func say(lost int64, format string, args ...any) {
	outgoing.lost.Add(lost)
	now := time.Now()
	if last, again := saidAt.Swap(format, now); again && now.Sub(last.(time.Time)) < time.Hour {
		return
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		fmt.Fprintf(os.Stderr, "obs: "+format+"\n", args...)
	}()
	select {
	case <-written:
	case <-time.After(100 * time.Millisecond): // Perhaps nobody reads standard error.
	}
}
