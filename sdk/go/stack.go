// The stack of the goroutine that captures: its frames, which of them are the application's own, and their lines of source.

package obs

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
)

const (
	maxFrames = 100
	maxSource = 10      // frames with lines of source
	around    = 3       // such lines before and after
	maxFile   = 1 << 20 // bytes; nobody reads a source that is longer
	maxKnown  = 500     // places whose lines are remembered
)

var (
	ownPackage = reflect.TypeOf(client{}).PkgPath()
	mainModule = sync.OnceValue(func() string {
		if info, ok := debug.ReadBuildInfo(); ok {
			return info.Main.Path
		}
		return ""
	})
)

// callers answers the frames above the SDK. The runtime's are left out too: they show how Go starts a goroutine and how it
// panics. hooked: BeforeSend is among the callers, and what it captures would call it again.
func callers() (frames []runtime.Frame, hooked bool) {
	pcs := make([]uintptr, maxFrames)
	next := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for more := true; more; {
		var frame runtime.Frame
		frame, more = next.Next()
		switch packageOf(frame.Function) {
		case ownPackage:
			hooked = hooked || strings.HasSuffix(frame.Function, ".beforeSend")
		case "runtime":
		default:
			frames = append(frames, frame)
		}
	}
	return frames, hooked
}

func (c *client) stacktrace(frames []runtime.Frame) []Frame {
	var trace []Frame
	sourced := 0
	for _, frame := range frames {
		sent := Frame{Filename: frame.File, Function: readable(frame.Function), Lineno: frame.Line}
		sent.InApp = inApp(packageOf(frame.Function), frame.File)
		if sent.InApp && sourced < maxSource && !c.options.NoSourceLines {
			sent.Source = c.sources.at(place{frame.File, frame.Line})
			sourced++
		}
		trace = append(trace, sent)
	}
	return trace
}

// packageOf takes the import path from a function's name: "example.com/app/db.(*Pool).get" is of "example.com/app/db".
func packageOf(function string) string {
	name := readable(function)
	pkg, _, _ := strings.Cut(name, ".")
	return strings.TrimSuffix(function, name) + pkg
}

// readable is a function's name with only the last element of the import path: "db.(*Pool).get".
func readable(function string) string {
	return function[strings.LastIndexByte(function, '/')+1:]
}

// inApp says whether a package is of the main module. Where the build does not name that (go run FILE), it says
// whether it is neither the standard library's, whose paths begin with a word without a dot, nor a dependency's.
func inApp(pkg, file string) bool {
	pkg = strings.ReplaceAll(pkg, "%2e", ".") // The linker escapes the last element's dots.
	if module := mainModule(); pkg == "main" || module != "" {
		return pkg == "main" || strings.TrimSuffix(pkg, "_test") == module || strings.HasPrefix(pkg, module+"/")
	}
	first, _, _ := strings.Cut(pkg, "/")
	return strings.Contains(first, ".") && !strings.Contains(file, "/pkg/mod/") && !strings.Contains(file, "/vendor/")
}

// sources remembers the lines at the places that were asked for, so that an error in a loop does not read files in a loop.
type sources struct {
	mu    sync.Mutex
	known map[place]Source
}

type place struct {
	file string
	line int
}

func (s *sources) at(at place) Source {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.known[at]
	if !ok {
		if s.known == nil || len(s.known) >= maxKnown {
			s.known = map[place]Source{}
		}
		found = read(at)
		s.known[at] = found
	}
	// Copies, since BeforeSend may change them.
	return Source{slices.Clone(found.PreContext), found.ContextLine, slices.Clone(found.PostContext)}
}

// read finds the lines at a place, where the program runs beside its sources. With -trimpath file names are not absolute.
func read(at place) Source {
	info, err := os.Stat(at.file)
	if err != nil || !filepath.IsAbs(at.file) || !info.Mode().IsRegular() || info.Size() > maxFile {
		return Source{}
	}
	content, err := os.ReadFile(at.file)
	lines := strings.Split(string(content), "\n")
	if err != nil || at.line < 1 || at.line > len(lines) {
		return Source{}
	}
	from, to := max(at.line-1-around, 0), min(at.line+around, len(lines))
	here := at.line - 1 - from
	lines = slices.Clone(lines[from:to])
	for i, line := range lines {
		lines[i] = strings.Clone(clip(strings.TrimRight(line, "\r"), maxText)) // The clones let go of the file.
	}
	return Source{lines[:here], lines[here], lines[here+1:]}
}
