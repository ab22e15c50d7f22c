// Sending: retries, Flush, the full queue, and repeated calls of Init.

package obs_test

import (
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

// scripted responds to the first attempts with the given statuses and accepts the rest.
func scripted(statuses ...int) responder {
	return func(attempt int, _ http.ResponseWriter) int {
		if attempt < len(statuses) {
			return statuses[attempt]
		}
		return http.StatusCreated
	}
}

func TestBurstArrivesOnceInOrderOverOneConnection(t *testing.T) {
	s := start(t, obs.Options{})
	for i := 0; i < 1000; i++ {
		obs.CaptureMessage(fmt.Sprint("burst ", i))
	}
	events := s.flushed(t)
	equal(t, "number of events", len(events), 1000)
	for i, e := range events {
		equal(t, "message", e.Message, fmt.Sprint("burst ", i))
	}
	equal(t, "number of connections", len(s.clients), 1)
}

func TestTemporaryFailuresAreRetriedWithTheSameID(t *testing.T) {
	s := serve(t, scripted(408, 429, 503, 502, 504, 500, 599))
	obs.Init(obs.Options{DSN: s.dsn()})
	id := obs.CaptureMessage("again")
	s.only(t)
	for _, attempt := range s.attempted() {
		equal(t, "id", attempt.EventID, id)
	}
	equal(t, "number of attempts", len(s.attempted()), 8)
}

func TestRejectedEventIsNotRetried(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 413, 302, 204} {
		s := serve(t, scripted(status))
		obs.Init(obs.Options{DSN: s.dsn()})
		obs.CaptureMessage("rejected")
		equal(t, fmt.Sprint("Flush after ", status), obs.Flush(20*time.Second), false)
		equal(t, "number of attempts", len(s.attempted()), 1)
		equal(t, "next Flush", obs.Flush(20*time.Second), true)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := serve(t, accept)
	s := serve(t, func(_ int, w http.ResponseWriter) int {
		w.Header().Set("Location", elsewhere.URL+"/api/events")
		return http.StatusTemporaryRedirect
	})
	obs.Init(obs.Options{DSN: s.dsn()})
	obs.CaptureMessage("for one server only")
	equal(t, "Flush", obs.Flush(20*time.Second), false)
	equal(t, "number of events elsewhere", len(elsewhere.attempted()), 0)
}

func TestFlushHonoursRetryAfter(t *testing.T) {
	for _, header := range []string{"2", "2.0"} {
		s := serve(t, func(attempt int, w http.ResponseWriter) int {
			if attempt > 0 {
				return http.StatusCreated
			}
			w.Header().Set("Retry-After", header)
			return http.StatusTooManyRequests
		})
		obs.Init(obs.Options{DSN: s.dsn()})
		obs.CaptureMessage("slowly")
		eventually(t, "an attempt", func() bool { return len(s.attempted()) == 1 })
		s.only(t)
		if pause := s.attempted()[1].at.Sub(s.attempted()[0].at); pause < 1900*time.Millisecond {
			t.Errorf("with Retry-After: %s the pause was %v", header, pause)
		}
	}
}

func TestEachAttemptSendsTheAgeOfTheEvent(t *testing.T) {
	s := serve(t, func(attempt int, w http.ResponseWriter) int {
		if attempt == 2 {
			return http.StatusCreated
		}
		w.Header().Set("Retry-After", "1")
		return http.StatusServiceUnavailable
	})
	obs.Init(obs.Options{DSN: s.dsn()})
	obs.CaptureMessage("waits")
	s.only(t)
	for i, attempt := range s.attempted() {
		if attempt.age < float64(i) || attempt.age > float64(i)+0.9 {
			t.Errorf("attempt %d was sent with age %v", i, attempt.age)
		}
	}
}

func TestAgeOfARepeatIsThatOfTheLatest(t *testing.T) {
	s := start(t, obs.Options{})
	for i := 0; i < 101; i++ {
		obs.CaptureMessage("repeated")
	}
	time.Sleep(time.Second)
	obs.CaptureMessage("repeated")
	events := s.flushed(t)
	equal(t, "suppressed", events[100].Suppressed, 1)
	if age := events[100].age; age > 0.9 {
		t.Errorf("got age %v", age)
	}
}

func TestEventsWaitForServerThatIsDown(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	obs.Init(obs.Options{DSN: "http://" + key + "@" + address})
	for i := 0; i < 10; i++ {
		obs.CaptureMessage(fmt.Sprint("early ", i))
	}
	equal(t, "Flush while it is down", obs.Flush(300*time.Millisecond), false)
	equal(t, "Flush with timeout 0", obs.Flush(0), false)
	s := serve(t, accept)
	listener, err = net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	late := &http.Server{Handler: s.Config.Handler}
	go late.Serve(listener)
	defer late.Close()
	equal(t, "number of events", len(s.flushed(t)), 10)
}

func TestFlushTimesOutIfServerDoesNotRespond(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(int, http.ResponseWriter) int { <-release; return http.StatusCreated })
	defer close(release)
	obs.Init(obs.Options{DSN: s.dsn()})
	obs.CaptureMessage("no response")
	started := time.Now()
	equal(t, "Flush", obs.Flush(200*time.Millisecond), false)
	if took := time.Since(started); took > 3*time.Second {
		t.Errorf("Flush took %v", took)
	}
}

func TestAttemptIsRetriedAfterSendTimeout(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(attempt int, _ http.ResponseWriter) int {
		if attempt == 0 {
			<-release
		}
		return http.StatusCreated
	})
	defer close(release)
	obs.Init(obs.Options{DSN: s.dsn(), SendTimeout: 100 * time.Millisecond})
	obs.CaptureMessage("a second attempt")
	s.only(t)
}

func TestFlushMayBeCalledRepeatedlyAndConcurrently(t *testing.T) {
	s := start(t, obs.Options{})
	equal(t, "Flush of empty queue", obs.Flush(0), true)
	var group sync.WaitGroup
	for i := 0; i < 8; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			obs.CaptureMessage(fmt.Sprint("message ", i))
			equal(t, "Flush", obs.Flush(20*time.Second), true)
		}(i)
	}
	group.Wait()
	equal(t, "number of events", len(s.events()), 8)
}

func TestFullQueueDropsNewestEvents(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(int, http.ResponseWriter) int { <-release; return http.StatusCreated })
	obs.Init(obs.Options{DSN: s.dsn()})
	queued := 0
	for i := 0; i < 20; i++ {
		blob := strings.Repeat("x", 900_000)
		if obs.CaptureMessage(fmt.Sprint("message ", i), obs.WithExtra(map[string]any{"blob": blob})) != "" {
			queued++
		}
	}
	close(release)
	equal(t, "number of queued events", queued, 9)
	equal(t, "Flush", obs.Flush(30*time.Second), false)
	equal(t, "number of events", len(s.events()), 9)
	equal(t, "last message", s.events()[8].Message, "message 8")
	obs.CaptureMessage("there is room again")
	equal(t, "number of events with room in the queue", len(s.flushed(t)), 10)
}

func TestQueuedEventsGoToTheServerOfTheLatestInit(t *testing.T) {
	old := serve(t, func(attempt int, w http.ResponseWriter) int {
		w.Header().Set("Retry-After", "300")
		return http.StatusServiceUnavailable
	})
	obs.Init(obs.Options{DSN: old.dsn()})
	for i := 0; i < 150; i++ {
		obs.CaptureMessage("old")
	}
	eventually(t, "an attempt", func() bool { return len(old.attempted()) == 1 })
	s := start(t, obs.Options{})
	obs.CaptureMessage("new")
	events := s.flushed(t)
	equal(t, "number of events", len(events), 102)
	suppressed := 0
	for _, e := range events {
		suppressed += e.Suppressed
	}
	equal(t, "suppressed", suppressed, 49)
	equal(t, "number of attempts at the old server", len(old.attempted()), 1)
}

func TestAnswerOfTheOldServerDoesNotDelayTheNewOne(t *testing.T) {
	release := make(chan struct{})
	old := serve(t, func(attempt int, w http.ResponseWriter) int {
		<-release
		w.Header().Set("Retry-After", "300")
		return http.StatusServiceUnavailable
	})
	obs.Init(obs.Options{DSN: old.dsn()})
	obs.CaptureMessage("in flight")
	eventually(t, "an attempt", func() bool { return len(old.attempted()) == 1 })
	s := start(t, obs.Options{})
	close(release)
	equal(t, "message", s.only(t).Message, "in flight")
}

func TestInvalidDSNKeepsTheServerOfQueuedEvents(t *testing.T) {
	s := serve(t, scripted(503, 503))
	obs.Init(obs.Options{DSN: s.dsn()})
	obs.CaptureMessage("queued")
	obs.Init(obs.Options{})
	equal(t, "id", obs.CaptureMessage("lost"), "")
	equal(t, "Flush after a loss", obs.Flush(20*time.Second), false)
	equal(t, "message", s.only(t).Message, "queued")
}

func TestAcceptedEventsLeaveNoMemoryBehind(t *testing.T) {
	release := make(chan struct{})
	s := serve(t, func(int, http.ResponseWriter) int { <-release; return http.StatusCreated })
	obs.Init(obs.Options{DSN: s.dsn()})
	for i := 0; i < 2000; i++ { // The queue has become long.
		obs.CaptureMessage(fmt.Sprint("small ", i))
	}
	close(release)
	equal(t, "Flush", obs.Flush(20*time.Second), true)
	s = serve(t, func(int, http.ResponseWriter) int { return http.StatusOK }) // keeps no events
	obs.Init(obs.Options{DSN: s.dsn()})
	heap := func() int64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	before := heap()
	for i := 0; i < 100; i++ {
		obs.CaptureMessage(fmt.Sprint("large ", i), obs.WithExtra(map[string]any{"blob": strings.Repeat("x", 500_000)}))
		equal(t, "Flush", obs.Flush(20*time.Second), true)
		s.mu.Lock()
		s.attempts = nil
		s.mu.Unlock()
	}
	if grown := heap() - before; grown > 20<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
}
