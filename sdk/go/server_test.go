// The server that the tests send to: it remembers what it got, and answers as it is told.

package obs_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

const key = "test-key"

// A received event is what the server would store.
type received struct {
	obs.Event
	Suppressed int
	at         time.Time
	size       int
	raw        string
}

type server struct {
	*httptest.Server
	mu       sync.Mutex
	attempts []received
	accepted []received
	clients  map[string]bool // remote addresses, one a connection
	open     atomic.Int32    // connections
}

// answer is a status, and what goes with it; nil accepts the event. attempt counts from 0.
type answer func(attempt int, w http.ResponseWriter) (status int)

func accept(int, http.ResponseWriter) int { return http.StatusCreated }

// serve starts a server and ends it with the test.
func serve(t *testing.T, respond answer) *server {
	t.Helper()
	s := &server{clients: map[string]bool{}}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e := received{at: time.Now(), size: len(body), raw: string(body)}
		if err := json.Unmarshal(body, &e); err != nil || r.URL.Path != "/api/events" || r.Header.Get("X-OBS-Key") != key {
			t.Errorf("a bad request: %s, %v, %.100s", r.URL, err, body)
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
		_, _ = io.WriteString(w, `{"error":"as the test wants it, for `+key+`\u001b[2J"}`)
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

// start serves, and sets obs up for it.
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

func (s *server) tried() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.attempts...)
}

// flushed flushes, and answers the events that arrived.
func (s *server) flushed(t *testing.T) []received {
	t.Helper()
	if !obs.Flush(20 * time.Second) {
		t.Fatal("Flush answered false")
	}
	return s.events()
}

// only answers the one event that arrived.
func (s *server) only(t *testing.T) received {
	t.Helper()
	events := s.flushed(t)
	if len(events) != 1 {
		t.Fatalf("%d events arrived, not one", len(events))
	}
	return events[0]
}

func eventually(t *testing.T, what string, true func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !true(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, not %v", what, got, want)
	}
}
