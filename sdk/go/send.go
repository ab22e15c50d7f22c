// Sends the queue, a report at a time, each as often as may help.

package obs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
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

// send is the one goroutine that sends. It begins with the first report.
func (o *outbox) send() {
	o.L.Lock()
	for {
		o.endWindows(maxKinds)
		switch {
		case len(o.queue) > 0 && time.Now().Before(o.notBefore):
			o.wait(o.notBefore)
		case len(o.queue) > 0:
			o.attempt(o.queue[0])
		case len(o.windows) > 0:
			o.wait(o.windows[0].ends)
		default:
			o.Wait()
		}
	}
}

// attempt sends a report once, with the outbox unlocked meanwhile, and decides what becomes of it.
func (o *outbox) attempt(r *report) {
	o.L.Unlock()
	status, order, problem := r.post()
	o.L.Lock()
	again := status == 0 || status == 408 || status == 429 || status >= 502 && status <= 504
	if status >= 500 && !again {
		r.broken++
		again = r.broken < maxFailures
	}
	if r.to.endpoint != current.Load().endpoint && o.failures >= maxFailures { // The next server's events wait.
		again = false
	}
	switch {
	case status == http.StatusOK || status == http.StatusCreated:
		o.failures = 0
		if o.settle(); len(o.queue) == 0 { // Before, a full queue drops and accepts events in turn.
			if o.dropped > 0 {
				o.complain("the queue is empty again; %d events were dropped", o.dropped)
			}
			o.dropped = 0
			clear(o.complained)
		}
	case again:
		o.complain("events cannot be sent now, and will be tried again: %s", problem)
		o.pause(order)
	default:
		o.lose("an event was not accepted, and is lost: %s", problem)
		o.settle()
	}
}

// settle takes the first report off the queue: its fate is known.
func (o *outbox) settle() {
	o.store(o.queue[0], -1)
	o.queue[0] = nil
	o.queue = o.queue[1:]
	o.settled++
	o.Broadcast()
}

// pause puts the next attempt off: as many seconds as the server asks, or for a time that grows, and varies so that many
// programs do not come back at once.
func (o *outbox) pause(order int) {
	pause := time.Duration(order) * time.Second
	if o.ordered = order > 0; !o.ordered {
		pause = min(firstPause<<min(o.failures, 10), longestPause)
		if o.flushing > 0 {
			pause = min(pause, flushPause)
		}
		pause -= time.Duration(rand.Int63n(int64(pause / 2)))
	}
	o.failures++
	o.notBefore = time.Now().Add(pause)
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
