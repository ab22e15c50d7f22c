// The same error, captured more than once on its way up.

package obs_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

var errSentinel = errors.New("sentinel")

// fail captures an error and returns it.
func fail(err error) error {
	obs.CaptureException(err)
	return err
}

func TestErrorCapturedAgainOnItsWayUpIsOneEvent(t *testing.T) {
	handler := slog.New(obs.NewSlogHandler(slog.NewTextHandler(io.Discard, nil)))
	for name, run := range map[string]func(err error){
		"twice in a function": func(err error) {
			obs.CaptureException(err)
			obs.CaptureException(err)
		},
		"by the caller, too":     func(err error) { obs.CaptureException(fail(err)) },
		"by the caller, wrapped": func(err error) { obs.CaptureException(fmt.Errorf("outer: %w", fail(err))) },
		"by the caller, joined":  func(err error) { obs.CaptureException(errors.Join(errors.New("other"), fail(err))) },
		"and logged":             func(err error) { handler.Error("failed", "err", fail(err)) },
		"logged twice": func(err error) {
			handler.Error("failed", "err", err)
			handler.Error("again", "err", err)
		},
		"and then the panic":      func(err error) { recovered(func() { panic(fail(err)) }) },
		"in a handler, and panic": func(err error) { _ = get(t, func(http.ResponseWriter, *http.Request) { panic(fail(err)) }) },
	} {
		s := start(t, obs.Options{})
		run(errors.New(name))
		equal(t, name, len(s.flushed(t)), 1)
	}
}

func TestPanicCapturedAndRethrownIsOneEvent(t *testing.T) {
	var nilMap map[string]int
	for name, value := range map[string]any{"an error": errors.New("boom"), "a text": "boom", "a runtime error": nil} {
		s := start(t, obs.Options{Repanic: true})
		func() {
			defer func() { _ = recover() }()
			defer obs.Recover()
			defer obs.Recover()
			defer func() {
				value := recover()
				obs.CapturePanic(value)
				panic(value)
			}()
			if value != nil {
				panic(value)
			}
			nilMap["boom"] = 1
		}()
		equal(t, name, len(s.flushed(t)), 1)
	}
}

func TestErrorThatOccursAgainIsAnotherEvent(t *testing.T) {
	again := func(value any) { // Recovers and panics again without a capture.
		defer func() { panic(recover()) }()
		panic(value)
	}
	one := func() { obs.CaptureException(errSentinel) }
	two := func() { obs.CaptureException(errSentinel) }
	for name, run := range map[string]func(){
		"the same line in a loop": func() {
			for i := 0; i < 2; i++ {
				obs.CaptureException(errSentinel)
			}
		},
		"the same panic in a loop": func() {
			for i := 0; i < 2; i++ {
				recovered(func() { panic("boom") })
			}
		},
		"a panic that continues, in a loop": func() {
			for i := 0; i < 2; i++ {
				recovered(func() { again("boom") })
			}
		},
		"two functions that return the same variable": func() { one(); two() },
		"two lines with the same runtime error": func() {
			var nilMap map[string]int
			for i := 0; i < 2; i++ {
				recovered(func() {
					if i == 0 {
						nilMap["a"] = 1
					}
					nilMap["b"] = 1
				})
			}
		},
		"another error with the same text": func() {
			obs.CaptureException(errors.New("same"))
			obs.CaptureException(errors.New("same"))
		},
		"another error that wraps the same": func() {
			obs.CaptureException(fmt.Errorf("one: %w", errSentinel))
			obs.CaptureException(fmt.Errorf("two: %w", errSentinel))
		},
	} {
		s := start(t, obs.Options{})
		run()
		equal(t, name, len(s.flushed(t)), 2)
	}
}

func TestErrorThatAGoroutineOnlyCapturesIsAnotherEventEachTime(t *testing.T) {
	s := start(t, obs.Options{})
	for i := 1; i <= 2; i++ {
		go obs.CaptureException(errSentinel) // No frame of this stack is the program's.
		eventually(t, fmt.Sprint(i, " events"), func() bool { return len(s.events()) == i })
	}
	equal(t, "Flush", obs.Flush(time.Second), true)
}

func TestRememberedErrorsAreFew(t *testing.T) {
	s := start(t, obs.Options{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := 0; i < 100; i++ {
		obs.CaptureException(fmt.Errorf("%s%d", strings.Repeat("large", 200_000), i))
	}
	s.flushed(t)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 60<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
}
