// Panics: reported by a deferred Recover and by CapturePanic.

package obs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"runtime"
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
		`{"Name":"","Parent":{"Name":"","Parent":null}}; [unserialisable: func()]; %!v(PANIC=String method: no text); [unserialisable: obs_test.panicky]; `+
		"\"Ynl0ZXM=\"; 1s; 3; true; [unserialisable: map[string]interface {}]")
}

// caught runs a function as a program would that must not end with it.
func caught(run func(), options ...obs.Option) (id string) {
	defer func() { id = obs.CapturePanic(recover(), options...) }()
	run()
	return ""
}

func TestCapturedPanicHasTheLineThatPanicked(t *testing.T) {
	s := start(t, obs.Options{})
	var nilMap map[string]int
	var nilError *fs.PathError
	again := func(convert func(any) any) func() {
		return func() {
			defer func() { panic(convert(recover())) }()
			panic("first") // here
		}
	}
	for _, run := range []func(){
		func() { panic(errors.New("here")) },          // here
		func() { nilMap["here"] = 1 },                 // here
		func() { _ = nilError.Path },                  // here
		func() { _ = any("text").(int) },              // here
		func() { panic(nil) },                         // here
		func() { defer func() {}(); panic("a text") }, // here
		again(func(value any) any { return value }),
		again(func(value any) any { return fmt.Errorf("again: %v", value) }),
		func() { // A bug in a deferred function is another panic.
			defer func() { nilMap["deferred"] = 1 }() // here
			panic("first")
		},
		func() { // A panic that was recovered has no part in the next.
			recovered(func() { panic("recovered before") }) // here
			panic("second")                                 // here
		},
	} {
		if caught(run) == "" {
			t.Error("no id")
		}
	}
	events := s.flushed(t)
	equal(t, "number of events", len(events), 11)
	equal(t, "type of panic(nil)", events[4].Type, "*runtime.PanicNilError")
	for _, e := range events {
		equal(t, "level", e.Level, obs.LevelError)
		top := e.Stacktrace[0]
		if !strings.HasSuffix(top.ContextLine, "// here") || !top.InApp {
			t.Errorf("%s: top frame is %s:%d %s", e.Message, top.Filename, top.Lineno, top.Function)
		}
	}
}

func TestCapturePanicTakesAnyValue(t *testing.T) {
	s := start(t, obs.Options{})
	var nilStringer *time.Time
	for _, value := range []any{
		errors.New("an error"), "a text", time.Second, struct{ N int }{1}, 42, []byte("bytes"), panicStringer{}, panicError{},
		(*fs.PathError)(nil), nilStringer, func() {}, &node{Name: "n"}, fmt.Errorf("outer: %w", errors.New("inner")),
	} {
		obs.CapturePanic(value, obs.WithLevel(obs.LevelWarning))
	}
	index := 3
	caught(func() { _ = []int(nil)[index] })
	var messages []string
	for _, e := range s.flushed(t) {
		messages = append(messages, e.Type+": "+e.Message)
	}
	equal(t, "level", s.events()[0].Level, obs.LevelWarning)
	equal(t, "messages", strings.Join(messages, "; "), "*errors.errorString: an error; string: a text; time.Duration: 1s; "+
		`struct { N int }: {"N":1}; int: 42; []uint8: "Ynl0ZXM="; obs_test.panicStringer: %!v(PANIC=String method: no text); `+
		"obs_test.panicError: [unserialisable: obs_test.panicError]; *fs.PathError: <nil>; *time.Time: <nil>; "+
		`func(): [unserialisable: func()]; *obs_test.node: {"Name":"n","Parent":null}; *fmt.wrapError: outer: inner; `+
		"runtime.boundsError: runtime error: index out of range [3] with length 0")
}

func TestCapturePanicAfterTheDeferredFunctionHasTheStackOfTheCaller(t *testing.T) {
	s := start(t, obs.Options{})
	safely := func() (value any) {
		defer func() { value = recover() }()
		panic("boom")
	}
	obs.CapturePanic(safely()) // here
	top := s.only(t).Stacktrace[0]
	equal(t, "line", strings.HasSuffix(top.ContextLine, "// here"), true)
}

func TestCapturePanicIgnoresWhatIsNoFailure(t *testing.T) {
	s := start(t, obs.Options{})
	equal(t, "id for nil", obs.CapturePanic(nil), "")
	equal(t, "id without a panic", caught(func() {}), "")
	equal(t, "id for http.ErrAbortHandler", caught(func() { panic(http.ErrAbortHandler) }), "")
	done := make(chan bool)
	go func() {
		defer close(done)
		caught(runtime.Goexit)
	}()
	<-done
	equal(t, "number of events", len(s.flushed(t)), 0)
}

func TestPanicWithAnErrorThatCarriesAStackTraceHasThatOne(t *testing.T) {
	s := start(t, obs.Options{})
	err := pkgError{carry("made earlier", nil)} // here
	caught(func() { panic(fmt.Errorf("outer: %w", err)) })
	equal(t, "line", strings.HasSuffix(s.only(t).Stacktrace[0].ContextLine, "// here"), true)
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

func TestPanicsAreUnhandledUnlessTheProgramRecoversThem(t *testing.T) {
	s := start(t, obs.Options{})
	recovered(func() { panic("stopped by Recover") })
	_ = get(t, func(http.ResponseWriter, *http.Request) { panic("reported by Handler") })
	caught(func() { panic("recovered by the program") })
	obs.CaptureException(errors.New("an error"))
	var unhandled []string
	for _, e := range s.flushed(t) {
		if e.Mechanism != nil {
			unhandled = append(unhandled, e.Message)
			equal(t, "what the server reads", strings.Contains(e.raw, `"mechanism":{"handled":false}`), true)
		}
	}
	equal(t, "number of events", len(s.events()), 4)
	equal(t, "unhandled", strings.Join(unhandled, "; "), "stopped by Recover; reported by Handler")
}
