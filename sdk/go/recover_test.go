// Panics: reported by a deferred Recover and by the net/http middleware.

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

// A panicStringer panics when asked for its text.
type panicStringer struct{}

func (panicStringer) String() string { panic("no text") }

type level int

func recovered(run func()) {
	defer obs.Recover()
	run()
}

func TestPanicIsReportedWithTheLineThatPanicked(t *testing.T) {
	s := start(t, obs.Options{})
	var nilMap map[string]int
	var nilRequest *http.Request
	index, empty := 3, []int{}
	for _, run := range []func(){
		func() { panic(errors.New("here")) }, // here
		func() { nilMap["here"] = 1 },        // here
		func() { _ = nilRequest.Method },     // here
		func() { _ = empty[index] },          // here
	} {
		recovered(run)
	}
	for _, e := range s.flushed(t) {
		equal(t, "level", e.Level, obs.LevelError)
		if top := e.Stacktrace[0]; !strings.HasSuffix(top.ContextLine, "// here") {
			t.Errorf("%s: top frame is %s:%d %s", e.Message, top.Filename, top.Lineno, top.Function)
		}
	}
	equal(t, "number of events", len(s.events()), 4)
}

func TestAnyPanicValueIsCaptured(t *testing.T) {
	s := start(t, obs.Options{})
	for _, value := range []any{"a text", 42, fmt.Errorf("outer: %w", errors.New("inner")), panicStringer{}, struct{ N int }{1}} {
		recovered(func() { panic(value) })
	}
	var seen []string
	for _, e := range s.flushed(t) {
		seen = append(seen, e.Type+": "+e.Message)
	}
	equal(t, "first events", strings.Join(seen[:3], "; "), "string: a text; int: 42; *fmt.wrapError: outer: inner")
	equal(t, "last event", seen[4], "struct { N int }: {\"N\":1}")
	equal(t, "number of causes", len(s.events()[2].Causes), 1)
}

func TestPanicValueThatCannotBePrintedIsCaptured(t *testing.T) {
	s := start(t, obs.Options{})
	circularMap := map[string]any{}
	circularMap["self"] = circularMap
	circularSlice := []any{nil}
	circularSlice[0] = circularSlice
	for _, value := range []any{circularMap, circularSlice, &node{Parent: &node{}}, func() {}, panicStringer{}, panicky{}, []byte("bytes"), time.Second, level(3), true} {
		recovered(func() { panic(value) })
	}
	_ = get(t, func(http.ResponseWriter, *http.Request) { panic(circularMap) })
	var messages []string
	for _, e := range s.flushed(t) {
		messages = append(messages, e.Message)
	}
	equal(t, "messages", strings.Join(messages, "; "), "[unserialisable: map[string]interface {}]; [unserialisable: []interface {}]; "+
		`{"Name":"","Parent":{"Name":"","Parent":null}}; [unserialisable: func()]; [unserialisable: obs_test.panicStringer]; [unserialisable: obs_test.panicky]; `+
		"bytes; 1s; 3; true; [unserialisable: map[string]interface {}]")
}

func TestRecoverTakesOptionsAndIgnoresNormalReturn(t *testing.T) {
	s := start(t, obs.Options{})
	func() { defer obs.Recover() }()
	func() {
		defer obs.Recover(obs.WithLevel(obs.LevelWarning))
		panic("with options")
	}()
	equal(t, "level", s.only(t).Level, obs.LevelWarning)
}

func TestRecoverWithRepanicSendsAndPanicsAgain(t *testing.T) {
	s := start(t, obs.Options{Repanic: true})
	boom := errors.New("boom")
	func() {
		defer func() { equal(t, "panic", recover(), any(boom)) }()
		recovered(func() { panic(boom) })
	}()
	equal(t, "number of events without a flush", len(s.events()), 1)
}

// get sends a request to a handler wrapped in the middleware, and returns the client's error.
func get(t *testing.T, handle http.HandlerFunc) error {
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

func TestHandlerReportsPanicAndPanicsAgain(t *testing.T) {
	s := start(t, obs.Options{})
	err := get(t, func(http.ResponseWriter, *http.Request) { panic("in a handler") }) // here
	if err == nil {
		t.Error("the client got a response, but net/http closes the connection after a panic")
	}
	e := s.only(t)
	equal(t, "message", e.Message, "in a handler")
	equal(t, "extra", fmt.Sprint(e.Extra), "map[request:map[method:GET path:/orders/7]]")
	if !strings.HasSuffix(e.Stacktrace[0].ContextLine, "// here") {
		t.Errorf("top frame is %+v", e.Stacktrace[0])
	}
}

func TestHandlerDoesNotReportErrAbortHandler(t *testing.T) {
	s := start(t, obs.Options{})
	if get(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }) == nil {
		t.Error("the client got a response")
	}
	if err := get(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }); err != nil {
		t.Error(err)
	}
	equal(t, "number of events", len(s.flushed(t)), 0)
}
