// Stack traces: frames, whether they belong to the application, and their source lines.

package obs

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
)

const (
	maxFrames = 100
	maxSource = 10      // frames with source lines
	around    = 3       // source lines before and after the current one
	maxFile   = 1 << 20 // bytes; longer source files are not read
)

var (
	ownPackage = reflect.TypeOf(Event{}).PkgPath()
	build, _   = debug.ReadBuildInfo()

	_, starter, _, _ = runtime.Caller(1)                              // package runtime initializes this one
	goroot           = strings.TrimSuffix(starter, "runtime/proc.go") // empty with -trimpath

	// The paths of libraries, by the same rule as on the server.
	library = regexp.MustCompile(`^(node:|internal/|<)|(^|[/\\])(node_modules|site-packages|vendor|gems|\.cargo|rustc|` +
		`go[/\\]pkg[/\\]mod|usr[/\\]local[/\\]go|usr[/\\]lib[/\\]go[^/\\]*)[/\\]`)
)

// callers returns the whole stack above the function that calls it, however deep: capture searches all of it.
func callers() []runtime.Frame {
	for size := 2 * maxFrames; ; size *= 2 {
		pcs := make([]uintptr, size)
		if count := runtime.Callers(3, pcs); count < size {
			return expand(pcs[:count])
		}
	}
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

// stacktrace returns the frames outside the SDK. It also skips those of package runtime, which only
// show how Go starts goroutines and panics.
func stacktrace(stack []runtime.Frame) (trace []Frame) {
	sourced := 0
	for _, caller := range stack {
		pkg, name := split(caller.Function)
		if pkg == ownPackage || pkg == "runtime" || len(trace) == maxFrames {
			continue
		}
		frame := Frame{Filename: caller.File, Function: name, Lineno: caller.Line, InApp: inApp(pkg, caller.File)}
		if frame.InApp && sourced < maxSource && !current.Load().NoSourceLines {
			frame.addSource()
			sourced++
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
// FILE), inApp reports whether the file belongs neither to a library nor to the standard library, wherever Go is
// installed. With -trimpath, paths say less: a dependency's contains its version, and the first element of an import
// path without a dot stands for the standard library.
func inApp(pkg, file string) bool {
	if pkg == "main" {
		return true
	}
	if build != nil && build.Main.Path != "" {
		return strings.TrimSuffix(pkg, "_test") == build.Main.Path || strings.HasPrefix(pkg, build.Main.Path+"/")
	}
	first, _, _ := strings.Cut(pkg, "/")
	standard := !strings.Contains(first, ".") && strings.HasPrefix(file, goroot)
	return !standard && !library.MatchString(file) && !strings.Contains(file, "@v")
}

// sources caches lines by file name, so that an error in a loop does not read its file each time. Only
// files of the program that occur in stack traces are added.
var sources sync.Map

// linesOf returns the lines of a source file, or nil if it is not there. With -trimpath, file names are
// not absolute.
func linesOf(file string) (lines []string) {
	if cached, ok := sources.Load(file); ok {
		return cached.([]string)
	}
	info, err := os.Stat(file)
	if err == nil && filepath.IsAbs(file) && info.Mode().IsRegular() && info.Size() <= maxFile {
		content, _ := os.ReadFile(file)
		lines = strings.Split(string(content), "\n")
		for i, line := range lines {
			lines[i] = clip(strings.TrimRight(line, "\r"), maxText)
		}
	}
	sources.Store(file, lines)
	return lines
}

// addSource copies lines, because BeforeSend may change them.
func (f *Frame) addSource() {
	if lines, n := linesOf(f.Filename), f.Lineno; n > 0 && n <= len(lines) {
		f.PreContext = slices.Clone(lines[max(n-1-around, 0) : n-1])
		f.ContextLine = lines[n-1]
		f.PostContext = slices.Clone(lines[n:min(n+around, len(lines))])
	}
}
