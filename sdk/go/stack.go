// The stack of the goroutine that captures: its frames, which of them are the application's own, and their lines of source.

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
	maxSource = 10      // frames with lines of source
	around    = 3       // such lines before and after
	maxFile   = 1 << 20 // bytes; nobody reads a source that is longer
)

var (
	ownPackage = reflect.TypeOf(Event{}).PkgPath()
	build, _   = debug.ReadBuildInfo()
)

// callers answers the whole stack above capture, so that nested finds what is far below.
func callers() []uintptr {
	for size := 2 * maxFrames; ; size *= 2 {
		pcs := make([]uintptr, size)
		if count := runtime.Callers(3, pcs); count < size {
			return pcs[:count]
		}
	}
}

// nested says whether what captures was called by a capture, in BeforeSend, and would go on for ever.
func nested(pcs []uintptr) bool { return within(pcs, ownPackage+".capture") }

// onMain says whether this is the goroutine that the process ends with.
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

// stacktrace answers the frames above the SDK. The runtime's are left out too: they show how Go starts a goroutine and how
// it panics.
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

// split takes a function's name apart: "example.com/app/db.(*Pool).get" is "db.(*Pool).get" of "example.com/app/db".
func split(function string) (pkg, name string) {
	name = function[strings.LastIndexByte(function, '/')+1:]
	last, _, _ := strings.Cut(name, ".")
	pkg = strings.TrimSuffix(function, name) + last
	return strings.ReplaceAll(pkg, "%2e", "."), name // The linker escapes the last element's dots.
}

// inApp says whether a package is of the main module. Where the build does not name that (go run FILE), it says
// whether it is neither the standard library's, whose paths begin with a word without a dot, nor a dependency's.
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

// files remembers lines by file name, so that an error in a loop does not read in a loop. It holds only files of the
// program that report errors.
var files sync.Map

// linesOf reads a file where the program runs beside its sources. With -trimpath file names are not absolute.
func linesOf(file string) (lines []string) {
	if known, ok := files.Load(file); ok {
		return known.([]string)
	}
	info, err := os.Stat(file)
	if err == nil && filepath.IsAbs(file) && info.Mode().IsRegular() && info.Size() <= maxFile {
		content, _ := os.ReadFile(file)
		lines = strings.Split(string(content), "\n")
	}
	files.Store(file, lines)
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
