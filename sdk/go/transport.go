// Sends the queue, an event at a time, each as often as may help; and waits for that, which is Flush.

package obs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	firstPause   = 100 * time.Millisecond // after a failure; doubled with each
	longestPause = 10 * time.Second
	flushPause   = time.Second      // the longest, while a flush waits
	longestOrder = 300              // seconds of Retry-After that are obeyed
	maxBroken    = 10               // attempts at which the server itself fails
	retirement   = time.Minute      // that a replaced client tries again
	idle         = 50 * time.Second // for a connection; the server closes it after 60
	maxAnswer    = 64 << 10         // bytes that are read
)

// newHTTPClient shares nothing with http.DefaultClient, and follows no redirect: the key is for the DSN's host.
func newHTTPClient(o Options) *http.Client {
	return &http.Client{
		Timeout:       o.SendTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: o.ConnectTimeout}).DialContext,
			TLSHandshakeTimeout: o.ConnectTimeout,
			IdleConnTimeout:     idle,
		},
	}
}

// work is the one goroutine that sends. It begins with the first event, and ends once the client is retired and empty.
func (c *client) work() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		now := time.Now()
		c.endWindows(now)
		switch {
		case len(c.queue) > 0 && now.Before(c.notBefore):
			c.wait(c.notBefore)
		case len(c.queue) > 0:
			c.attempt(c.queue[0])
		case len(c.byAge) > 0:
			c.wait(c.byAge[0].ends)
		case c.retired.IsZero():
			c.wait(time.Time{})
		default:
			c.working = false
			c.http.CloseIdleConnections()
			return
		}
	}
}

// wait waits, with the client locked, until something changes, but not past a time, unless that is zero.
func (c *client) wait(until time.Time) {
	if !until.IsZero() {
		alarm := time.AfterFunc(time.Until(until), func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.changed.Broadcast()
		})
		defer alarm.Stop()
	}
	c.changed.Wait()
}

// attempt sends an event once, with the client unlocked meanwhile, and decides what becomes of it.
func (c *client) attempt(event []byte) {
	c.mu.Unlock()
	status, order, problem := c.post(event)
	c.mu.Lock()
	again := status == 0 || status == 429 || status >= 502 && status <= 504
	if status >= 500 && !again {
		c.broken++
		again = c.broken < maxBroken
	}
	switch {
	case status == http.StatusOK || status == http.StatusCreated:
		c.settle(event)
		c.calm()
	case again && (c.retired.IsZero() || time.Since(c.retired) < retirement):
		c.complain(unreachable, "events cannot be sent now, and will be tried again: %s", problem)
		c.pause(order)
	default:
		c.lost++
		c.complain(refused, "an event was not accepted, and is lost: %s", problem)
		c.settle(event)
	}
}

// post answers the status, 0 where there was none; the seconds that the server asks to wait; and what to say of it.
func (c *client) post(event []byte) (status, order int, problem string) {
	request, err := http.NewRequest(http.MethodPost, c.endpoint, bytes.NewReader(event))
	if err != nil {
		return 0, 0, "the DSN's host makes no request"
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-OBS-Key", c.key)
	response, err := c.http.Do(request)
	if err != nil {
		return 0, 0, err.Error()
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(response.Body, maxAnswer)) // Read whole, the connection can be used again.
	var said struct{ Error string }
	_ = json.Unmarshal(answer, &said)
	problem = fmt.Sprintf("%d %q", response.StatusCode, clip(strings.ReplaceAll(said.Error, c.key, "KEY"), maxText))
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

// pause puts the next attempt off: as long as the server asks, or for a time that grows, and varies so that many
// programs do not come back at once.
func (c *client) pause(order int) {
	pause := time.Duration(order) * time.Second
	c.ordered = order > 0
	if !c.ordered {
		pause = min(firstPause<<min(c.failures, 10), longestPause)
		if c.flushing > 0 {
			pause = min(pause, flushPause)
		}
		pause -= time.Duration(rand.Int63n(int64(pause / 2)))
		c.failures++
	}
	c.notBefore = time.Now().Add(pause)
}

// settle takes the first event off the queue: its fate is known.
func (c *client) settle(event []byte) {
	c.queue[0] = nil
	c.queue = c.queue[1:]
	c.bytes -= len(event)
	c.stored--
	c.settled++
	c.broken, c.failures = 0, 0
	c.changed.Broadcast()
}

// flush sends what is held back, tries at once, unless the server asked for a pause, and waits.
func (c *client) flush(deadline time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.reported
	for _, w := range c.byAge {
		c.letGo(w)
	}
	target, previous := c.queued, c.previous
	c.failures = 0
	if !c.ordered {
		c.notBefore = time.Time{}
	}
	c.flushing++
	c.changed.Broadcast()
	done := true
	if previous != nil {
		c.mu.Unlock()
		done = previous.flush(deadline)
		c.mu.Lock()
	}
	if done {
		c.previous = nil
	}
	for c.settled < target && time.Now().Before(deadline) {
		c.wait(deadline)
	}
	c.flushing--
	c.reported = c.lost
	return done && c.settled >= target && c.lost == known
}
