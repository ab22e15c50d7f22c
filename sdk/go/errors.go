// How an error or a panic becomes an event: what it wraps, whether it was captured before, and its stack trace.

package obs

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	maxCauses = 20
	maxFrames = 100 // sent
	around    = 3   // source lines before and after the current one
)

var ownPackage = reflect.TypeOf(Event{}).PkgPath()
var build, _ = debug.ReadBuildInfo()

// library matches the paths of libraries, by the same rule as on the server.
var library = regexp.MustCompile(`^(node:|internal/|<)|(^|[/\\])(node_modules|site-packages|vendor|gems|` +
	`\.cargo|rustc|go[/\\]pkg[/\\]mod|usr[/\\]local[/\\]go|usr[/\\]lib[/\\]go[^/\\]*)[/\\]`)

// errorEvent returns an event for an error or any other value passed to panic, or nil if it was captured before. Its
// stack trace is the given part of the whole, unless an error carries its own.
func errorEvent(value any, whole, stack []runtime.Frame) *Event {
	chain, own := unwrap(value)
	if seen(chain, whole) {
		return nil
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
	value, goroutine any // the goroutine's number, as text
	at               time.Time
	depth            int             // of the whole stack
	stack            []runtime.Frame // from the program's line that captured it or panicked
}

var sightings []sighting // the last 32
var sightingsLock sync.Mutex

// seen reports whether an error, or one that it wraps, was captured a moment ago on its way up, and remembers it
// otherwise. The value alone does not tell: an error in a package variable, such as io.EOF, occurs many times.
func seen(chain []any, stack []runtime.Frame) bool {
	now := sighting{chain[0], strings.Fields(string(debug.Stack()))[1], time.Now(), len(stack), stack[max(0, slices.IndexFunc(stack, ofProgram)):]}
	sightingsLock.Lock()
	defer sightingsLock.Unlock()
	for _, earlier := range sightings {
		if now.goroutine == earlier.goroutine && slices.Contains(chain, earlier.value) && now.follows(earlier) {
			return true
		}
	}
	if v := reflect.ValueOf(now.value); v.Comparable() && !v.IsZero() && len(stack) <= maxFrames {
		sightings = append(slices.Clone(sightings[max(0, len(sightings)-31):]), now) // The clone forgets older ones.
	}
	return false
}

// follows reports whether two captures of a value are those of one error on its way up: one was made in a call that is
// on the stack of the other. A loop makes the same stack each time. A panic that continues makes a deeper one.
func (s sighting) follows(earlier sighting) bool {
	common := min(len(s.stack), len(earlier.stack))
	a, b := s.stack[len(s.stack)-common:], earlier.stack[len(earlier.stack)-common:]
	samePC := func(a, b runtime.Frame) bool { return a.PC == b.PC }
	sameCall := a[0].Function == b[0].Function && slices.EqualFunc(a[1:], b[1:], samePC)
	// Texts and runtime errors of two lines may be equal; pointers are to the same error.
	identified := reflect.ValueOf(earlier.value).Kind() == reflect.Pointer && a[0].PC != b[0].PC
	return sameCall && (identified || s.depth != earlier.depth) && s.at.Sub(earlier.at) < 10*time.Second
}

// text returns a value as text, or as JSON if it has none.
func text(value any) string {
	if _, ok := value.(fmt.Stringer); ok {
		value = fmt.Sprint(value)
	}
	return fmt.Sprintf("%s", plain(value, maxMessage))
}

// unwrap returns a value followed by the errors it wraps, depth first, and the innermost stack trace on the way to
// the first of them that carries one.
func unwrap(value any) (found []any, stack []runtime.Frame) {
	var visit func(any)
	visit = func(value any) {
		if value == nil || len(found) > maxCauses { // It may wrap itself.
			return
		}
		found = append(found, value)
		defer func() { _ = recover() }() // The methods of a nil pointer usually panic.
		switch err := value.(type) {
		case interface{ Unwrap() error }:
			visit(err.Unwrap())
		case interface{ Unwrap() []error }:
			for _, err := range err.Unwrap() {
				visit(err)
			}
		case interface{ Cause() error }: // older packages
			visit(err.Cause())
		}
		// The stack trace of an error in a package variable only shows how the program started.
		if own := expand(stackOf(value)); stack == nil && index(own, "runtime.doInit") < 0 {
			stack = own
		}
	}
	visit(value)
	return found, stack
}

// stackOf returns the stack trace that an error carries, as runtime.Callers returned it, or nil. Packages have methods of
// different names for it, and slices of types of their own. It panics if a method of such a name has another signature.
func stackOf(err any) (pcs []uintptr) {
	v := reflect.ValueOf(err)
	// The first is that of github.com/pkg/errors, then go-errors/errors and rotisserie/eris.
	methods := []reflect.Value{v.MethodByName("StackTrace"), v.MethodByName("Callers"), v.MethodByName("StackFrames")}
	for _, method := range methods {
		if pcs == nil && method.IsValid() {
			trace := method.Call(nil)[0]
			for i := 0; i < trace.Len(); i++ {
				pcs = append(pcs, uintptr(trace.Index(i).Uint()))
			}
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
// FILE), inApp reports whether it has a domain in its path, as no package of the standard library has, and its file does
// not belong to a library.
func inApp(pkg, file string) bool {
	if build != nil && build.Main.Path != "" {
		return pkg == "main" || strings.HasPrefix(strings.TrimSuffix(pkg, "_test")+"/", build.Main.Path+"/")
	}
	domain, _, _ := strings.Cut(pkg, "/")
	return pkg == "main" || strings.Contains(domain, ".") && !strings.Contains(file, "@v") && !library.MatchString(file)
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
