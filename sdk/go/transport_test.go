// Sending: what is tried again and what is not, what Flush answers, and what a full queue does.

package obs_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

// scripted answers the first attempts with these statuses, and accepts the rest.
func scripted(statuses ...int) answer {
	return func(attempt int, _ http.ResponseWriter) int {
		if attempt < len(statuses) {
			return statuses[attempt]
		}
		return http.StatusCreated
	}
}

func TestABurstArrivesOnceAndInOrderOverOneConnection(t *testing.T) {
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

func TestWhatMayHelpIsTriedAgainUnderTheSameID(t *testing.T) {
	s := serve(t, scripted(408, 429, 503, 502, 504, 500, 599))
	obs.Init(obs.Options{DSN: s.dsn()})
	id := obs.CaptureMessage("again")
	s.only(t)
	for _, attempt := range s.tried() {
		equal(t, "id", attempt.EventID, id)
	}
	equal(t, "number of attempts", len(s.tried()), 8)
}

func TestAServerThatKeepsFailingIsGivenUpAfterTenAttempts(t *testing.T) {
	s := serve(t, scripted(503, 500, 500, 500, 500, 500, 500, 500, 500, 500, 500)) // 503 is not counted
	obs.Init(obs.Options{DSN: s.dsn()})
	obs.CaptureMessage("lost")
	equal(t, "Flush", obs.Flush(30*time.Second), false)
	equal(t, "number of attempts", len(s.tried()), 11)
	obs.CaptureMessage("accepted")
	equal(t, "message", s.only(t).Message, "accepted")
}

func TestWhatTheServerRefusesIsNotTriedAgain(t *testing.T) {
	for _, status := range []int{400, 401, 403, 404, 413, 302, 204} {
		s := serve(t, scripted(status))
		obs.Init(obs.Options{DSN: s.dsn()})
		obs.CaptureMessage("refused")
		equal(t, fmt.Sprint("Flush after ", status), obs.Flush(20*time.Second), false)
		equal(t, "number of attempts", len(s.tried()), 1)
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
	equal(t, "number of events elsewhere", len(elsewhere.tried()), 0)
}

func TestRetryAfterIsObeyedEvenByFlush(t *testing.T) {
	for _, header := range []string{"1", time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat)} {
		s := serve(t, func(attempt int, w http.ResponseWriter) int {
			if attempt > 0 {
				return http.StatusCreated
			}
			w.Header().Set("Retry-After", header)
			return http.StatusTooManyRequests
		})
		obs.Init(obs.Options{DSN: s.dsn()})
		obs.CaptureMessage("slowly")
		eventually(t, "an attempt", func() bool { return len(s.tried()) == 1 })
		s.only(t)
		if pause := s.tried()[1].at.Sub(s.tried()[0].at); pause < 900*time.Millisecond {
			t.Errorf("Retry-After: %s was obeyed for %v", header, pause)
		}
	}
}

func TestFlushEndsAPause(t *testing.T) {
	s := serve(t, scripted(503, 503, 503, 503, 503, 503))
	obs.Init(obs.Options{DSN: s.dsn()})
	obs.CaptureMessage("at once")
	eventually(t, "six attempts", func() bool { return len(s.tried()) == 6 })
	s.only(t)
	// After six failures the pause would be 1.6 seconds at least.
	if pause := s.tried()[6].at.Sub(s.tried()[5].at); pause > 1500*time.Millisecond {
		t.Errorf("the seventh attempt came after %v", pause)
	}
}

func TestEventsWaitForAServerThatIsDown(t *testing.T) {
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
	equal(t, "Flush without time", obs.Flush(0), false)
	s := serve(t, accept)
	forward, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	site := &http.Server{Handler: s.Config.Handler}
	go site.Serve(forward)
	defer site.Close()
	equal(t, "number of events", len(s.flushed(t)), 10)
}

func TestFlushReturnsInTimeWhenTheServerNeverAnswers(t *testing.T) {
	end := make(chan struct{})
	s := serve(t, func(int, http.ResponseWriter) int { <-end; return http.StatusCreated })
	defer close(end)
	obs.Init(obs.Options{DSN: s.dsn()})
	obs.CaptureMessage("no answer")
	begun := time.Now()
	equal(t, "Flush", obs.Flush(200*time.Millisecond), false)
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAnAttemptEndsAfterSendTimeout(t *testing.T) {
	end := make(chan struct{})
	s := serve(t, func(attempt int, _ http.ResponseWriter) int {
		if attempt == 0 {
			<-end
		}
		return http.StatusCreated
	})
	defer close(end)
	obs.Init(obs.Options{DSN: s.dsn(), SendTimeout: 100 * time.Millisecond})
	obs.CaptureMessage("a second attempt")
	s.only(t)
}

func TestFlushMayBeCalledTwiceAndAtOnce(t *testing.T) {
	s := start(t, obs.Options{})
	equal(t, "Flush of nothing", obs.Flush(0), true)
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

func TestAFullQueueDropsTheNewestAndFlushSaysSo(t *testing.T) {
	end := make(chan struct{})
	s := serve(t, func(int, http.ResponseWriter) int { <-end; return http.StatusCreated })
	obs.Init(obs.Options{DSN: s.dsn()})
	kept := 0
	for i := 0; i < 2100; i++ {
		if obs.CaptureMessage(fmt.Sprint("message ", i)) != "" {
			kept++
		}
	}
	close(end)
	equal(t, "number that was kept", kept, 2048)
	equal(t, "Flush", obs.Flush(30*time.Second), false)
	equal(t, "number of events", len(s.events()), 2048)
	equal(t, "last", s.events()[2047].Message, "message 2047")
	obs.CaptureMessage("there is room again")
	equal(t, "number of events after that", len(s.flushed(t)), 2049)
}

func TestTheQueueIsBoundedInBytesToo(t *testing.T) {
	end := make(chan struct{})
	s := serve(t, func(int, http.ResponseWriter) int { <-end; return http.StatusCreated })
	obs.Init(obs.Options{DSN: s.dsn()})
	kept := 0
	for i := 0; i < 20; i++ {
		blob := strings.Repeat("x", 900_000)
		if obs.CaptureMessage(fmt.Sprint("message ", i), obs.WithExtra(map[string]any{"blob": blob})) != "" {
			kept++
		}
	}
	close(end)
	equal(t, "number that was kept", kept, 9)
	equal(t, "Flush", obs.Flush(30*time.Second), false)
}

func TestInitAgainSendsWhatTheOldClientQueued(t *testing.T) {
	end := make(chan struct{})
	old := serve(t, func(int, http.ResponseWriter) int { <-end; return http.StatusCreated })
	obs.Init(obs.Options{DSN: old.dsn()})
	for i := 0; i < 150; i++ {
		obs.CaptureMessage("old")
	}
	s := start(t, obs.Options{})
	obs.CaptureMessage("new")
	equal(t, "Flush while the old server is silent", obs.Flush(100*time.Millisecond), false)
	close(end)
	equal(t, "new message", s.only(t).Message, "new")
	equal(t, "number of old events", len(old.events()), 101)
	equal(t, "number held back", old.events()[100].Suppressed, 49)
}

func TestAServerThatInitReplacedIsGivenUpAndNoLongerInTheWay(t *testing.T) {
	old := serve(t, func(int, http.ResponseWriter) int { return http.StatusServiceUnavailable })
	obs.Init(obs.Options{DSN: old.dsn()})
	for i := 0; i < 50; i++ {
		obs.CaptureMessage(fmt.Sprint("old ", i))
	}
	s := start(t, obs.Options{})
	obs.CaptureMessage("new")
	equal(t, "Flush after a loss", obs.Flush(30*time.Second), false)
	equal(t, "message", s.only(t).Message, "new")
	equal(t, "number of attempts at the old server", len(old.tried()), 10+50)
}

func TestAServerDoesNotWaitForTheOneThatInitReplaced(t *testing.T) {
	old := serve(t, func(attempt int, w http.ResponseWriter) int {
		if attempt > 0 {
			return http.StatusCreated
		}
		w.Header().Set("Retry-After", "3")
		return http.StatusServiceUnavailable
	})
	obs.Init(obs.Options{DSN: old.dsn()})
	obs.CaptureMessage("old")
	eventually(t, "an attempt", func() bool { return len(old.tried()) == 1 })
	s := start(t, obs.Options{})
	obs.CaptureMessage("new")
	eventually(t, "the new message", func() bool { return len(s.events()) == 1 })
	equal(t, "number of attempts at the old server", len(old.tried()), 1)
	equal(t, "Flush before the old server may be tried", obs.Flush(0), false)
	equal(t, "number of new messages", len(s.flushed(t)), 1)
	equal(t, "old message", old.only(t).Message, "old")
	eventually(t, "the end of the old connection", func() bool { return old.open.Load() == 0 })
}

func TestInitForTheSameServerObeysItsRetryAfter(t *testing.T) {
	s := serve(t, func(attempt int, w http.ResponseWriter) int {
		if attempt > 0 {
			return http.StatusCreated
		}
		w.Header().Set("Retry-After", "1")
		return http.StatusServiceUnavailable
	})
	for i := 0; i < 2; i++ {
		obs.Init(obs.Options{DSN: s.dsn()})
		obs.CaptureMessage(fmt.Sprint("message ", i))
		eventually(t, "an attempt", func() bool { return len(s.tried()) > 0 })
	}
	equal(t, "number of events", len(s.flushed(t)), 2)
	if pause := s.tried()[1].at.Sub(s.tried()[0].at); pause < 900*time.Millisecond {
		t.Errorf("the pause was %v", pause)
	}
}

func TestInitAgainClosesTheIdleConnection(t *testing.T) {
	old := start(t, obs.Options{})
	obs.CaptureMessage("old")
	old.only(t)
	equal(t, "number of connections", old.open.Load(), 1)
	start(t, obs.Options{})
	eventually(t, "the end of the old connection", func() bool { return old.open.Load() == 0 })
}
