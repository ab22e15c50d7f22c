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
	maxSuppressed = 1_000_000              // the server's limit for one event
	minPause      = 500 * time.Millisecond // after a failed attempt
	maxWait       = 100 * time.Millisecond // for whoever reads standard error, who may never do so
	disabled      = "no events will be sent: %v"
)

// An entry is an encoded event.
type entry struct {
	id         string
	captured   time.Time // by the monotonic clock, which a formatted or converted time loses
	identity   [32]byte  // a hash of what repeats have in common: type, message and top frame
	body       []byte
	earlier    int // number of entries before it with the same identity in the window
	suppressed int // number of those after it
}

// An outbox lives as long as the process, across calls of Init.
type outbox struct {
	*sync.Cond                        // signals any change below; its lock guards what is not atomic
	client     atomic.Pointer[client] // of the last Init with a valid DSN
	queue      []*entry               // the first may be in flight
	latest     map[[32]byte]*entry    // by identity, in the current window; not queued if it follows maxRepeats others
	window     *time.Timer            // ends it
	bytes      int                    // total size of the bodies in both
	removed    int                    // number of entries that ever left the queue
	sightings  []sighting             // the errors captured last
	lost       atomic.Int64           // number of events lost since the last Flush
}

var outgoing = &outbox{Cond: sync.NewCond(new(sync.Mutex)), latest: map[[32]byte]*entry{}}

func init() {
	outgoing.window = time.AfterFunc(windowLength, outgoing.release)
	current.Store(new(client))
}

// add queues an entry and returns its ID, or it holds the entry back or drops it and returns "".
func (o *outbox) add(e *entry) string {
	o.L.Lock()
	defer o.L.Unlock()
	if latest := o.latest[e.identity]; latest != nil {
		if latest.earlier == maxRepeats {
			latest.captured, latest.suppressed = e.captured, min(latest.suppressed+1, maxSuppressed)
			return ""
		}
		e.earlier = latest.earlier + 1
	}
	if o.bytes+len(e.body) > maxBytes {
		say(1, "the queue is full (%d bytes); dropping events", maxBytes)
		return ""
	}
	if len(o.latest) == 0 {
		o.window.Reset(windowLength)
	} else if len(o.latest) == maxIdentities {
		go o.release()
	}
	o.latest[e.identity] = e
	o.bytes += len(e.body)
	if e.earlier == maxRepeats {
		return ""
	}
	o.queue = append(o.queue, e)
	o.Broadcast()
	return e.id
}

// release queues the entries that are held back, and begins another window.
func (o *outbox) release() {
	o.L.Lock()
	defer o.L.Unlock()
	for _, e := range o.latest {
		if e.earlier == maxRepeats {
			o.queue = append(o.queue, e)
		}
	}
	clear(o.latest)
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
		e, c := o.queue[0], o.client.Load()
		o.L.Unlock()
		status, retryAfter, problem := e.post(c)
		switch status {
		case 0, 408, 429, 502, 503, 504:
			say(0, "cannot send events, will retry: %s", problem)
			pause := minPause + time.Duration(rand.Int63n(int64(time.Second))) // Jitter: many programs do not come back at once.
			until := time.Now().Add(max(pause, retryAfter))
			for time.Now().Before(until) && o.client.Load() == c { // Init may name another server.
				time.Sleep(minPause / 10)
			}
			o.L.Lock()
			continue
		case http.StatusOK, http.StatusCreated:
		default:
			say(1, "an event was rejected and dropped: %s", problem)
		}
		o.L.Lock()
		o.queue = o.queue[1:]
		o.bytes -= len(e.body)
		e.body = nil // latest may still hold e.
		o.removed++
		o.Broadcast()
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
	return response.StatusCode, min(retryAfter, 5*time.Minute), fmt.Sprint(response.StatusCode, " ", http.StatusText(response.StatusCode))
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
	case <-time.After(maxWait):
	}
}
