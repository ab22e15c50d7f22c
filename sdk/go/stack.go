// Stack traces: frames, whether they belong to the application, and their source lines.

package obs

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
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
)

// callers returns the whole stack above capture, however deep, because nested searches all of it.
func callers() []uintptr {
	for size := 2 * maxFrames; ; size *= 2 {
		pcs := make([]uintptr, size)
		if count := runtime.Callers(3, pcs); count < size {
			return pcs[:count]
		}
	}
}

// nested reports whether capture is called from within another capture, such as by BeforeSend, which could
// recurse without end.
func nested(pcs []uintptr) bool { return within(pcs, ownPackage+".capture") }

// onMain reports whether this is the main goroutine.
func onMain() bool { return within(callers(), "runtime.main") }

func within(pcs []uintptr, function string) bool {
	frames := runtime.CallersFrames(pcs)
	for caller, more := frames.Next(); more; caller, more = frames.Next() {
		if caller.Function == function {
			return true
		}
	}
	return false
}

// stacktrace returns the frames outside the SDK. It also skips those of package runtime, which only
// show how Go starts goroutines and panics.
func stacktrace(pcs []uintptr, withSource bool) (trace []Frame) {
	frames := runtime.CallersFrames(pcs)
	for sourced, more := 0, true; more && len(trace) < maxFrames; {
		var caller runtime.Frame
		caller, more = frames.Next()
		pkg, name := split(caller.Function)
		if pkg == ownPackage || pkg == "runtime" {
			continue
		}
		frame := Frame{Filename: caller.File, Function: name, Lineno: caller.Line, InApp: inApp(pkg, caller.File)}
		if withSource && frame.InApp && sourced < maxSource {
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

// inApp reports whether a package belongs to the main module. If the build does not name the main
// module (go run FILE), inApp reports whether the package belongs neither to the standard library,
// whose import paths have no dot in the first element, nor to a dependency.
func inApp(pkg, file string) bool {
	if pkg == "main" {
		return true
	}
	if build != nil && build.Main.Path != "" {
		return strings.TrimSuffix(pkg, "_test") == build.Main.Path || strings.HasPrefix(pkg, build.Main.Path+"/")
	}
	first, _, _ := strings.Cut(pkg, "/")
	return strings.Contains(first, ".") && !strings.Contains(file, "/pkg/mod/") && !strings.Contains(file, "/vendor/")
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
	}
	sources.Store(file, lines)
	return lines
}

func (f *Frame) addSource() {
	lines := linesOf(f.Filename)
	for i := max(f.Lineno-around, 1); i <= min(f.Lineno+around, len(lines)); i++ {
		text := clip(strings.TrimRight(lines[i-1], "\r"), maxText)
		switch {
		case i < f.Lineno:
			f.PreContext = append(f.PreContext, text)
		case i == f.Lineno:
			f.ContextLine = text
		default:
			f.PostContext = append(f.PostContext, text)
		}
	}
}
