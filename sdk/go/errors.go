// How an error or a panic becomes an event: what it wraps, whether it was captured before, and its stack trace.

package obs

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

const (
	maxCauses    = 20
	maxSightings = 32  // captured errors that are remembered
	maxFrames    = 100 // sent
	around       = 3   // source lines before and after the current one
)

var ownPackage = reflect.TypeOf(Event{}).PkgPath()
var build, _ = debug.ReadBuildInfo()

// newErrorEvent returns an event for an error or any other value passed to panic, or nil if it was captured before. Its
// stack trace is that of the call or of the panic, unless an error carries its own.
func newErrorEvent(value any, stack []runtime.Frame, panicked bool) *Event {
	chain, own := unwrap(value)
	if seen(chain, stack) {
		return nil
	}
	if panicked {
		stack = belowPanic(stack)
	}
	if own != nil {
		stack = own
	}
	e := &Event{Level: LevelError, Type: fmt.Sprintf("%T", value), Message: text(value), Stacktrace: stacktrace(stack)}
	for _, cause := range chain[1:] {
		e.Causes = append(e.Causes, Cause{fmt.Sprintf("%T", cause), text(cause)})
	}
	return e
}

// A sighting is one capture of an error.
type sighting struct {
	value any
	stack []runtime.Frame
	at    time.Time
}

// seen reports whether an error, or one that it wraps, was captured a moment ago on its way up, and remembers it
// otherwise. The value alone does not tell: an error in a package variable, such as io.EOF, occurs many times.
func seen(chain []any, stack []runtime.Frame) bool {
	now := sighting{chain[0], stack, time.Now()}
	outgoing.L.Lock()
	defer outgoing.L.Unlock()
	for _, earlier := range outgoing.sightings {
		if now.at.Sub(earlier.at) < 10*time.Second && slices.Contains(chain, earlier.value) && now.follows(earlier) {
			return true
		}
	}
	if v := reflect.ValueOf(now.value); v.Comparable() && !v.IsZero() && len(stack) <= maxFrames {
		outgoing.sightings = append(outgoing.sightings[max(0, len(outgoing.sightings)+1-maxSightings):], now)
	}
	return false
}

// follows reports whether two captures are those of one error on its way up: their stacks differ only above some line of
// a call that is in both. A loop has the same stack each time. A panic that continues has a higher one; its value, such
// as a text, need not be a pointer.
func (s sighting) follows(earlier sighting) bool {
	a, b := s.stack[max(0, slices.IndexFunc(s.stack, ofProgram)):], earlier.stack[max(0, slices.IndexFunc(earlier.stack, ofProgram)):]
	common := min(len(a), len(b))
	a, b = a[len(a)-common:], b[len(b)-common:]
	if a[0].Function != b[0].Function || !slices.EqualFunc(a[1:], b[1:], func(a, b runtime.Frame) bool { return a.PC == b.PC }) {
		return false
	}
	return len(s.stack) != len(earlier.stack) || a[0].PC != b[0].PC && reflect.ValueOf(earlier.value).Kind() == reflect.Pointer
}

func text(value any) string { return fmt.Sprintf("%s", plain(value, maxMessage)) }

// unwrap returns a value followed by the errors it wraps, depth first, and the innermost stack trace on the way to
// the first of them that carries one.
func unwrap(value any) (found []any, stack []runtime.Frame) {
	var visit func(any)
	visit = func(value any) {
		if len(found) > maxCauses { // It may wrap itself.
			return
		}
		found = append(found, value)
		for _, err := range wrapped(value) {
			if err != nil {
				visit(err)
			}
		}
		// The stack trace of an error in a package variable only shows how the program started.
		if own := expand(stackOf(value)); stack == nil && index(own, "runtime.doInit") < 0 {
			stack = own
		}
	}
	visit(value)
	return found, stack
}

// wrapped returns the errors that a value wraps directly. Its methods may panic too.
func wrapped(value any) []error {
	defer func() { _ = recover() }()
	switch err := value.(type) {
	case interface{ Unwrap() error }:
		return []error{err.Unwrap()}
	case interface{ Unwrap() []error }:
		return err.Unwrap()
	case interface{ Cause() error }: // older packages
		return []error{err.Cause()}
	}
	return nil
}

// stackOf returns the stack trace that an error carries, as runtime.Callers returned it, or nil.
func stackOf(err any) (pcs []uintptr) {
	defer func() { _ = recover() }() // A method may panic, or have another signature.
	switch err := err.(type) {
	case interface{ Callers() []uintptr }: // github.com/go-errors/errors
		return err.Callers()
	case interface{ StackFrames() []uintptr }: // github.com/rotisserie/eris
		return err.StackFrames()
	}
	// github.com/pkg/errors, github.com/cockroachdb/errors and others: a slice of a type of their own.
	if method := reflect.ValueOf(err).MethodByName("StackTrace"); method.IsValid() {
		trace := method.Call(nil)[0]
		for i := 0; i < trace.Len(); i++ {
			pcs = append(pcs, uintptr(trace.Index(i).Uint()))
		}
	}
	return pcs
}

// callers returns the whole stack above the function that calls it: capture searches all of it.
func callers() []runtime.Frame {
	pcs := make([]uintptr, 8192)
	return expand(pcs[:runtime.Callers(3, pcs)])
}

func expand(pcs []uintptr) (stack []runtime.Frame) {
	frames := runtime.CallersFrames(pcs)
	for frame, _ := frames.Next(); frame.PC != 0; frame, _ = frames.Next() {
		stack = append(stack, frame)
	}
	return stack
}

func index(stack []runtime.Frame, function string) int {
	return slices.IndexFunc(stack, func(frame runtime.Frame) bool { return frame.Function == function })
}

// belowPanic returns the part of the stack below the last panic. It skips deferred functions that panic again with
// what they recovered: each is called by the panic before.
func belowPanic(stack []runtime.Frame) []runtime.Frame {
	const panics = "runtime.gopanic"
	stack = stack[index(stack, panics)+1:]
	for len(stack) > 1 && stack[1].Function == panics {
		stack = stack[2:]
	}
	return stack
}

// ofProgram reports whether a function belongs neither to the SDK, nor to the logger that called it, nor to package
// runtime, whose frames only show how Go starts goroutines and panics.
func ofProgram(frame runtime.Frame) bool {
	pkg, _ := split(frame.Function)
	return pkg != ownPackage && pkg != "log/slog" && pkg != "runtime"
}

// stacktrace returns the frames of the program and its libraries. Own frames among the first 20 have source lines.
func stacktrace(stack []runtime.Frame) (trace []Frame) {
	for _, caller := range stack {
		if !ofProgram(caller) || len(trace) == maxFrames {
			continue
		}
		pkg, name := split(caller.Function)
		frame := Frame{Filename: caller.File, Function: name, Lineno: caller.Line, InApp: inApp(pkg, caller.File)}
		if frame.InApp && len(trace) < 20 && !current.Load().NoSourceLines {
			frame.addSource()
		}
		trace = append(trace, frame)
	}
	return trace
}

// split splits "example.com/app/db.(*Pool).get" into "example.com/app/db" and "db.(*Pool).get".
func split(function string) (pkg, name string) {
	name = function[strings.LastIndexByte(function, '/')+1:]
	last, _, _ := strings.Cut(name, ".")
	pkg = strings.TrimSuffix(function, name) + last
	return strings.ReplaceAll(pkg, "%2e", "."), name // The linker escapes dots in the last element.
}

// inApp reports whether a package belongs to the main module. If the build does not name the main module (go run
// FILE), inApp reports whether it has a domain in its path, as no package of the standard library has, and its file is
// neither in the module cache nor vendored.
func inApp(pkg, file string) bool {
	if pkg == "main" {
		return true
	}
	if build != nil && build.Main.Path != "" {
		return strings.TrimSuffix(pkg, "_test") == build.Main.Path || strings.HasPrefix(pkg, build.Main.Path+"/")
	}
	return strings.Contains(strings.Split(pkg, "/")[0], ".") && !strings.Contains(file, "@v") && !strings.Contains(file, "vendor/")
}

func (f *Frame) addSource() {
	content, _ := os.ReadFile(f.Filename)
	lines := strings.Split(string(content), "\n")
	if f.Lineno > len(lines) { // The source is not on this machine.
		return
	}
	before := max(f.Lineno-1-around, 0)
	lines = lines[before:min(f.Lineno+around, len(lines))]
	for i, line := range lines {
		lines[i] = clip(strings.TrimRight(line, "\r"), 200)
	}
	at := f.Lineno - 1 - before
	f.PreContext, f.ContextLine, f.PostContext = lines[:at], lines[at], lines[at+1:]
}
