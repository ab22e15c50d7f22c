// Errors that misbehave, and errors that carry a stack trace.

package obs_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

// A quotaError works as a nil pointer; most types, such as *fs.PathError, do not.
type quotaError struct{ used int }

func (e *quotaError) Error() string {
	if e == nil {
		return "no quota"
	}
	return fmt.Sprint("quota used: ", e.used)
}

func TestTypedNilErrorIsCapturedAsNil(t *testing.T) {
	s := start(t, obs.Options{})
	open := func() error { var err *fs.PathError; return err }
	err := open()
	obs.CaptureException(err) // here
	obs.CaptureException((*quotaError)(nil))
	obs.CaptureException(fmt.Errorf("outer: %w", err))
	obs.CaptureMessage("in extra", obs.WithExtra(map[string]any{"err": err}))
	events := s.flushed(t)
	equal(t, "type", events[0].Type, "*fs.PathError")
	equal(t, "message", events[0].Message, "<nil>")
	equal(t, "line", strings.HasSuffix(events[0].Stacktrace[0].ContextLine, "// here"), true)
	equal(t, "message of an error that works as nil", events[1].Message, "no quota")
	equal(t, "cause", fmt.Sprint(events[2].Causes), "[{*fs.PathError <nil>}]")
	equal(t, "extra", events[3].Extra["err"], any("<nil>"))
}

func TestErrorThatMisbehavesHidesNoOther(t *testing.T) {
	s := start(t, obs.Options{})
	obs.CaptureException(errors.Join((*fs.PathError)(nil), panicError{}, &cyclic{}, errors.New("last")))
	obs.CaptureException(fmt.Errorf("%w and %w", (*fs.PathError)(nil), errors.New("last")))
	events := s.flushed(t)
	equal(t, "causes", fmt.Sprint(events[0].Causes), "[{*fs.PathError <nil>} {obs_test.panicError [unserialisable: obs_test.panicError]} "+
		"{*obs_test.cyclic cyclic} {*errors.errorString last}]")
	equal(t, "causes", fmt.Sprint(events[1].Causes), "[{*fs.PathError <nil>} {*errors.errorString last}]")
}

// capturingError captures itself when asked for its text.
type capturingError struct{}

func (e capturingError) Error() string {
	obs.CaptureException(e)
	return "captured"
}

func TestCapturesByAnErrorMethodAreIgnored(t *testing.T) {
	s := start(t, obs.Options{})
	obs.CaptureException(capturingError{})
	equal(t, "message", s.only(t).Message, "captured")
}

// The ways in which packages let an error carry its stack trace.
type (
	frame   uintptr
	frames  []frame
	carrier struct {
		text  string
		cause error
		stack []uintptr
	}
	pkgError     struct{ carrier } // github.com/pkg/errors
	goError      struct{ carrier } // github.com/go-errors/errors
	erisError    struct{ carrier } // github.com/rotisserie/eris
	causer       struct{ error }   // github.com/pkg/errors before 0.9
	textError    struct{ carrier } // a method of the same name for something else
	brokenError  struct{ carrier }
	garbageError struct{ carrier }
)

func (e carrier) Error() string { return e.text }
func (e carrier) Unwrap() error { return e.cause }

func (e pkgError) StackTrace() (trace frames) {
	for _, pc := range e.stack {
		trace = append(trace, frame(pc))
	}
	return trace
}
func (e goError) Callers() []uintptr          { return e.stack }
func (e erisError) StackFrames() []uintptr    { return e.stack }
func (e textError) StackTrace() string        { return "main.go:1" }
func (e brokenError) StackTrace(int) []string { return nil }
func (e garbageError) StackTrace() []uintptr  { return []uintptr{1, 2, 3} }
func (e causer) Cause() error                 { return e.error }
func (e causer) Error() string                { return "causer: " + e.error.Error() }

func carry(text string, cause error) carrier {
	pcs := make([]uintptr, 32)
	return carrier{text, cause, pcs[:runtime.Callers(2, pcs)]}
}

// global is an error in a package variable: its stack trace shows how the program started.
var global = pkgError{carry("global", nil)}

func TestStackTraceIsTheInnermostThatAnErrorCarries(t *testing.T) {
	s := start(t, obs.Options{})
	plain := errors.New("plain")
	inner := pkgError{carry("inner", plain)} // inner
	other := goError{carry("other", nil)}    // other
	for _, err := range []error{
		inner,
		goError{carry("go-errors", inner)},
		fmt.Errorf("outer: %w", pkgError{carry("wrapped twice", fmt.Errorf("between: %w", inner))}),
		causer{causer{inner}},
		errors.Join(plain, inner, other),
		pkgError{carry("joined", errors.Join(inner, other))},
		textError{carry("another StackTrace", brokenError{carry("another still", inner)})},
		(*pkgError)(nil),
	} {
		obs.CaptureException(err) // captured
	}
	obs.CaptureException(goError{carry("go-errors", plain)})     // captured
	obs.CaptureException(erisError{carry("eris", plain)})        // captured
	obs.CaptureException(pkgError{carry("of a global", global)}) // captured
	obs.CaptureException(global)                                 // captured
	obs.CaptureException(garbageError{carry("garbage", plain)})  // captured
	var got []string
	for _, e := range s.flushed(t) {
		_, mark, _ := strings.Cut(e.Stacktrace[0].ContextLine, "// ")
		got = append(got, mark)
		equal(t, e.Message+" in_app", e.Stacktrace[0].InApp, true)
	}
	equal(t, "top frames", strings.Join(got, " "), "inner inner inner inner inner inner inner captured captured captured captured captured captured")
}

func TestErrorKeepsItsStackTraceAcrossGoroutines(t *testing.T) {
	s := start(t, obs.Options{})
	failed := make(chan error)
	go func() { failed <- pkgError{carry("in a goroutine", nil)} }() // here
	obs.CaptureException(<-failed)
	e := s.only(t)
	equal(t, "line", strings.HasSuffix(e.Stacktrace[0].ContextLine, "// here"), true)
	equal(t, "number of frames", len(e.Stacktrace), 1)
}

func TestOneValueInTwoRequestsIsTwoEvents(t *testing.T) {
	s := start(t, obs.Options{})
	site := httptest.NewServer(obs.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/first" {
			obs.CaptureException(io.EOF, obs.WithContext(r.Context()))
		} else {
			obs.CaptureException(io.EOF, obs.WithContext(r.Context()))
		}
	})))
	defer site.Close()
	for _, path := range []string{"/first", "/second"} {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // a connection of its own
		response, err := client.Get(site.URL + path)
		equal(t, "request", err, nil)
		response.Body.Close()
	}
	equal(t, "events", len(s.flushed(t)), 2)
}
