// Sends the queue, a report at a time, each as often as may help.

package obs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	firstPause   = 100 * time.Millisecond // after a failure; doubled with each
	longestPause = 10 * time.Second
	flushPause   = time.Second // the longest, while a flush waits
	longestOrder = 300         // seconds of Retry-After that are obeyed
	maxFailures  = 10          // of a server that breaks, or that Init has replaced
	maxAnswer    = 64 << 10    // bytes that are read
)

// A pace says how soon a server may be tried again.
type pace struct {
	failures  int       // attempts in a row
	notBefore time.Time // the next attempt
	ordered   bool      // by the server, which sent Retry-After
}

// send is the one goroutine that sends. It begins with the first report.
func (o *outbox) send() {
	o.L.Lock()
	for {
		o.endWindows(maxKinds)
		switch {
		case len(o.queue) > 0:
			o.attempt(slices.MinFunc(o.queue, sooner))
		case len(o.windows) > 0:
			o.wait(o.windows[0].ends)
		default:
			o.Wait()
		}
	}
}

// sooner orders reports, so that one server's pause does not keep the events of the next.
func sooner(a, b *report) int { return a.to.notBefore.Compare(b.to.notBefore) }

// attempt sends a report once, with the outbox unlocked meanwhile, and decides what becomes of it. If it is too early, it only waits.
func (o *outbox) attempt(r *report) {
	if time.Now().Before(r.to.notBefore) {
		o.wait(r.to.notBefore)
		return
	}
	o.L.Unlock()
	status, order, problem := r.post()
	o.L.Lock()
	again := status == 0 || status == 408 || status == 429 || status >= 502 && status <= 504
	if status >= 500 && !again {
		r.broken++
		again = r.broken < maxFailures
	}
	if r.to.endpoint != load().endpoint && r.to.failures >= maxFailures { // It takes room in the queue.
		again = false
	}
	switch {
	case status == http.StatusOK || status == http.StatusCreated:
		r.to.failures = 0
		if o.settle(r); len(o.queue) == 0 { // Before, a full queue drops and accepts events in turn.
			if o.dropped > 0 {
				o.complain("the queue is empty again; %d events were dropped", o.dropped)
			}
			o.dropped = 0
			clear(o.complained)
		}
	case again:
		o.complain("events cannot be sent now, and will be tried again: %s", problem)
		r.to.pause(order, o.flushing > 0)
	default:
		o.lose("an event was not accepted, and is lost: %s", problem)
		o.settle(r)
	}
}

// settle takes a report off the queue: its fate is known.
func (o *outbox) settle(r *report) {
	o.store(r, -1)
	i := slices.Index(o.queue, r)
	o.queue = slices.Delete(o.queue, i, i+1)
	if r.to != load() && !slices.ContainsFunc(o.queue, func(other *report) bool { return other.to == r.to }) {
		r.to.http.CloseIdleConnections()
	}
	o.Broadcast()
}

// pause puts the next attempt off: as many seconds as the server asks, or for a time that grows, and varies so that many
// programs do not come back at once.
func (p *pace) pause(order int, flushing bool) {
	pause := time.Duration(order) * time.Second
	if p.ordered = order > 0; !p.ordered {
		pause = min(firstPause<<min(p.failures, 10), longestPause)
		if flushing {
			pause = min(pause, flushPause)
		}
		pause -= time.Duration(rand.Int63n(int64(pause / 2)))
	}
	p.failures++
	p.notBefore = time.Now().Add(pause)
}

// post answers the status, 0 where there was none; the seconds that the server asks to wait; and what to say of it.
func (r *report) post() (status, order int, problem string) {
	body := r.event
	if r.suppressed > 0 {
		body = append(fmt.Appendf(nil, `{"suppressed":%d,`, r.suppressed), body[1:]...)
	}
	request, err := http.NewRequest(http.MethodPost, r.to.endpoint, bytes.NewReader(body))
	if err != nil {
		return 0, 0, "the DSN's host makes no request"
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-OBS-Key", r.to.key)
	response, err := r.to.http.Do(request)
	if err != nil {
		return 0, 0, err.Error()
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // Read whole, the connection can be used again.
	var said struct{ Error string }
	_ = json.Unmarshal(answer, &said)
	problem = fmt.Sprintf("%d %q", response.StatusCode, clip(strings.ReplaceAll(said.Error, r.to.key, "KEY"), maxText))
	return response.StatusCode, retryAfter(response.Header.Get("Retry-After")), problem
}

// retryAfter reads seconds or an HTTP date; 0 is no order.
func retryAfter(header string) int {
	seconds, err := strconv.Atoi(header)
	if date, notDate := http.ParseTime(header); err != nil && notDate == nil {
		seconds = int(time.Until(date).Seconds()) + 1
	}
	return min(max(seconds, 0), longestOrder)
}
