// Internals exported to the tests.

package obs

import (
	"runtime/debug"
	"time"
)

// EndWindow ends the current window of repeats.
func EndWindow() {
	outgoing.L.Lock()
	defer outgoing.L.Unlock()
	outgoing.ends = time.Now()
	outgoing.Broadcast()
}

// ClearSourceCache empties the cache of source files and returns the number of files that were in it.
func ClearSourceCache() (count int) {
	sources.Range(func(file, _ any) bool {
		sources.Delete(file)
		count++
		return true
	})
	return count
}

// GOROOT is the folder of the standard library.
var GOROOT = goroot

// IsLibrary reports whether a path is that of a library.
func IsLibrary(path string) bool { return library.MatchString(path) }

// InApp is inApp as in a build with the given main module.
func InApp(main, pkg, file string) bool {
	defer func(before *debug.BuildInfo) { build = before }(build)
	build = &debug.BuildInfo{Main: debug.Module{Path: main}}
	return inApp(pkg, file)
}
