// Sends the queue, one entry at a time, with retries.

package obs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	firstPause    = 100 * time.Millisecond // after the first failure; doubles with each further one
	maxPause      = 2 * time.Second
	maxRetryAfter = 300      // seconds
	maxFailures   = 10       // per entry with 5xx other than 502 to 504
	maxResponse   = 64 << 10 // bytes read
)

// A backoff decides when the server may next be contacted.
type backoff struct {
	failures  int       // consecutive failed attempts
	notBefore time.Time // earliest time of the next attempt
	requested bool      // notBefore comes from the server's Retry-After
}

// run sends entries for as long as the process lives. The first Init with a valid DSN starts it.
func (o *outbox) run() {
	o.L.Lock()
	for {
		o.endWindow(maxIdentities)
		switch {
		case len(o.queue) > 0:
			o.attempt(o.queue[0])
		case len(o.repeated) > 0:
			o.wait(o.ends)
		default:
			o.Wait()
		}
	}
}

// attempt sends the first entry once, with the outbox unlocked, and handles the result. During a pause, attempt
// only waits.
func (o *outbox) attempt(e *entry) {
	if time.Now().Before(o.notBefore) {
		o.wait(o.notBefore)
		return
	}
	c := o.client
	o.L.Unlock()
	status, retryAfter, problem := e.post(c)
	o.L.Lock()
	retry := status == 0 || status == 408 || status == 429 || status >= 502 && status <= 504
	if status >= 500 && !retry {
		e.failures++
		retry = e.failures < maxFailures
	}
	switch {
	case status == http.StatusOK || status == http.StatusCreated:
		o.backoff.failures = 0
		if o.remove(e); len(o.queue) == 0 { // Any earlier, a full queue would log again and again.
			if o.dropped > 0 {
				o.log("the queue is empty again; %d events were dropped", o.dropped)
			}
			o.dropped = 0
			maps.DeleteFunc(o.logged, func(format string, _ bool) bool { return !strings.HasPrefix(format, misuse) })
		}
	case retry:
		o.log("cannot send events, will retry: %s", problem)
		if c.endpoint == o.client.endpoint { // Otherwise Init has replaced the server in the meantime.
			o.pause(retryAfter)
		}
	default:
		o.lost++
		o.log("an event was rejected and dropped: %s", problem)
		o.remove(e)
	}
}

// remove removes the first entry, which was accepted or lost.
func (o *outbox) remove(e *entry) {
	o.store(e, -1)
	o.queue = o.queue[1:]
	o.removed++
	o.Broadcast()
}

// pause postpones the next attempt: by retryAfter seconds if the server sent that, otherwise by a
// pause that grows and has jitter, so that many programs do not come back at once.
func (b *backoff) pause(retryAfter int) {
	pause := time.Duration(retryAfter) * time.Second
	if b.requested = retryAfter > 0; !b.requested {
		pause = min(firstPause<<min(b.failures, 10), maxPause)
		pause -= time.Duration(rand.Int63n(int64(pause / 2)))
	}
	b.failures++
	b.notBefore = time.Now().Add(pause)
}

// post sends an entry. It returns the response's status (0 if there was no response), its Retry-After in
// seconds, and a description of the result for the log.
func (e *entry) post(c *client) (status, retryAfter int, problem string) {
	body := e.body
	if e.suppressed > 0 {
		body = append(fmt.Appendf(nil, `{"suppressed":%d,`, e.suppressed), body[1:]...)
	}
	request, err := http.NewRequest(http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return 0, 0, "the DSN's host is invalid"
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-OBS-Key", c.key)
	request.Header.Set("X-OBS-Age", fmt.Sprintf("%.3f", time.Since(e.captured).Seconds()))
	response, err := c.http.Do(request)
	if err != nil {
		return 0, 0, err.Error()
	}
	defer response.Body.Close()
	content, _ := io.ReadAll(io.LimitReader(response.Body, maxResponse)) // Reading it all allows the connection to be reused.
	var refusal struct{ Error string }
	_ = json.Unmarshal(content, &refusal)
	reason := strings.ReplaceAll(refusal.Error, c.key, "KEY")
	problem = fmt.Sprintf("%d %q", response.StatusCode, clip(reason, maxText))
	return response.StatusCode, parseRetryAfter(response.Header.Get("Retry-After")), problem
}

// parseRetryAfter returns the seconds to wait, given as a number or an HTTP date, or 0.
func parseRetryAfter(header string) int {
	seconds, err := strconv.Atoi(header)
	if date, notDate := http.ParseTime(header); err != nil && notDate == nil {
		seconds = int(time.Until(date).Seconds()) + 1
	}
	return min(max(seconds, 0), maxRetryAfter)
}
