// Panics: caught by a deferred Recover, and by the middleware for net/http.

package obs_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

type shy struct{}

func (shy) String() string { panic("never") }

type level int

func caught(what func()) {
	defer obs.Recover()
	what()
}

func TestAPanicIsCaughtWithTheLineThatPanicked(t *testing.T) {
	s := start(t, obs.Options{})
	var none map[string]int
	var nobody *http.Request
	index, nothing := 3, []int{}
	for _, panics := range []func(){
		func() { panic(errors.New("here")) }, // here
		func() { none["here"] = 1 },          // here
		func() { _ = nobody.Method },         // here
		func() { _ = nothing[index] },        // here
	} {
		caught(panics)
	}
	for _, e := range s.flushed(t) {
		equal(t, "level", e.Level, obs.LevelError)
		if top := e.Stacktrace[0]; !strings.HasSuffix(top.ContextLine, "// here") {
			t.Errorf("%s: the top frame is %s:%d %s", e.Message, top.Filename, top.Lineno, top.Function)
		}
	}
	equal(t, "number of events", len(s.events()), 4)
}

func TestAnythingThatIsPanickedWithIsCaptured(t *testing.T) {
	s := start(t, obs.Options{})
	for _, value := range []any{"a text", 42, fmt.Errorf("outer: %w", errors.New("inner")), shy{}, struct{ N int }{1}} {
		caught(func() { panic(value) })
	}
	var seen []string
	for _, e := range s.flushed(t) {
		seen = append(seen, e.Type+": "+e.Message)
	}
	equal(t, "list of events", strings.Join(seen[:3], "; "), "string: a text; int: 42; *fmt.wrapError: outer: inner")
	equal(t, "last", seen[4], "struct { N int }: {\"N\":1}")
	equal(t, "number of causes", len(s.events()[2].Causes), 1)
}

func TestAPanicWithWhatCannotBePrintedIsCaptured(t *testing.T) {
	s := start(t, obs.Options{})
	circle := map[string]any{}
	circle["self"] = circle
	ring := []any{nil}
	ring[0] = ring
	for _, value := range []any{circle, ring, &node{Parent: &node{}}, func() {}, shy{}, panicky{}, []byte("bytes"), time.Second, level(3), true} {
		caught(func() { panic(value) })
	}
	_ = web(t, func(http.ResponseWriter, *http.Request) { panic(circle) })
	var messages []string
	for _, e := range s.flushed(t) {
		messages = append(messages, e.Message)
	}
	equal(t, "list of messages", strings.Join(messages, "; "), "[unserialisable: map[string]interface {}]; [unserialisable: []interface {}]; "+
		`{"Name":"","Parent":{"Name":"","Parent":null}}; [unserialisable: func()]; [unserialisable: obs_test.shy]; [unserialisable: obs_test.panicky]; `+
		"bytes; 1s; 3; true; [unserialisable: map[string]interface {}]")
}

func TestRecoverTakesOptionsAndDoesNothingWithoutAPanic(t *testing.T) {
	s := start(t, obs.Options{})
	func() { defer obs.Recover() }()
	func() {
		defer obs.Recover(obs.WithLevel(obs.LevelWarning))
		panic("with options")
	}()
	equal(t, "level", s.only(t).Level, obs.LevelWarning)
}

func TestRecoverWithRepanicSendsAndGoesOn(t *testing.T) {
	s := start(t, obs.Options{Repanic: true})
	boom := errors.New("boom")
	func() {
		defer func() { equal(t, "panic", recover(), any(boom)) }()
		caught(func() { panic(boom) })
	}()
	equal(t, "number of events before any flush", len(s.events()), 1)
}

// web runs a handler within the middleware, and answers the error that a client gets, if any.
func web(t *testing.T, handle http.HandlerFunc) error {
	t.Helper()
	site := httptest.NewUnstartedServer(obs.Handler(handle))
	site.Config.ErrorLog = log.New(io.Discard, "", 0)
	site.Start()
	defer site.Close()
	response, err := http.Get(site.URL + "/orders/7?token=secret")
	if err == nil {
		response.Body.Close()
	}
	return err
}

func TestTheMiddlewareReportsAPanicAndLetsItGoOn(t *testing.T) {
	s := start(t, obs.Options{})
	err := web(t, func(http.ResponseWriter, *http.Request) { panic("in a handler") }) // here
	if err == nil {
		t.Error("the client got an answer, though net/http closes the connection at a panic")
	}
	e := s.only(t)
	equal(t, "message", e.Message, "in a handler")
	equal(t, "extra", fmt.Sprint(e.Extra), "map[request:map[method:GET path:/orders/7]]")
	if !strings.HasSuffix(e.Stacktrace[0].ContextLine, "// here") {
		t.Errorf("the top frame is %+v", e.Stacktrace[0])
	}
}

func TestTheMiddlewareLetsAbortHandlerPass(t *testing.T) {
	s := start(t, obs.Options{})
	if web(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }) == nil {
		t.Error("the client got an answer")
	}
	if err := web(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }); err != nil {
		t.Error(err)
	}
	equal(t, "number of events", len(s.flushed(t)), 0)
}
