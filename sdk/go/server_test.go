// A test server that records requests and responds as each test specifies.

package obs_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

const key = "test-key"

// A received event is an event as the server gets it.
type received struct {
	obs.Event
	Suppressed int
	at         time.Time
	age        float64 // as the client measured it, in seconds
	size       int
	path       string
	raw        string
}

type server struct {
	*httptest.Server
	mu       sync.Mutex
	attempts []received
	accepted []received
	clients  map[string]bool // remote addresses, one per connection
	open     atomic.Int32    // number of open connections
}

// A responder sets headers and returns the status of a response. attempt counts from 0.
type responder func(attempt int, w http.ResponseWriter) (status int)

func accept(int, http.ResponseWriter) int { return http.StatusCreated }

// serve starts a server that is closed at the end of the test. Repeats of an earlier test's events are not held back.
func serve(t *testing.T, respond responder) *server {
	t.Helper()
	obs.EndWindow()
	obs.ForgetErrors()
	s := &server{clients: map[string]bool{}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e := received{at: time.Now(), size: len(body), path: r.URL.Path, raw: string(body)}
		var ageErr error
		e.age, ageErr = strconv.ParseFloat(r.Header.Get("X-OBS-Age"), 64)
		if err := json.Unmarshal(body, &e); err != nil || ageErr != nil || !strings.HasSuffix(r.URL.Path, "/api/events") || r.Header.Get("X-OBS-Key") != key {
			t.Errorf("bad request: %s, %v, %.100s", r.URL, err, body)
		}
		s.mu.Lock()
		attempt := len(s.attempts)
		s.attempts = append(s.attempts, e)
		s.clients[r.RemoteAddr] = true
		s.mu.Unlock()
		status := respond(attempt, w)
		if status == http.StatusCreated {
			s.mu.Lock()
			s.accepted = append(s.accepted, e)
			s.mu.Unlock()
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"error":"rejected by the test, key `+key+`\u001b[2J"}`)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			s.open.Add(1)
		case http.StateClosed:
			s.open.Add(-1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *server) dsn() string { return strings.Replace(s.URL, "://", "://"+key+"@", 1) }

// start starts a server that accepts everything and calls Init for it.
func start(t *testing.T, options obs.Options) *server {
	t.Helper()
	s := serve(t, accept)
	options.DSN = s.dsn()
	obs.Init(options)
	return s
}

func (s *server) events() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.accepted...)
}

func (s *server) attempted() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.attempts...)
}

// flushed flushes and returns the events that arrived.
func (s *server) flushed(t *testing.T) []received {
	t.Helper()
	if !obs.Flush(20 * time.Second) {
		t.Fatal("Flush returned false")
	}
	return s.events()
}

// only flushes and returns the single event that arrived.
func (s *server) only(t *testing.T) received {
	t.Helper()
	events := s.flushed(t)
	if len(events) != 1 {
		t.Fatalf("got %d events, want one", len(events))
	}
	return events[0]
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
