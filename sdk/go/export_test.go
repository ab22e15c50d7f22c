// Internals exported to the tests.

package obs

import "runtime/debug"

// EndWindow ends the current window of repeats.
func EndWindow() { outgoing.release() }

// ForgetErrors forgets which errors were captured.
func ForgetErrors() {
	sightingsLock.Lock()
	defer sightingsLock.Unlock()
	sightings = nil
}

// InApp is inApp as in a build with the given main module.
func InApp(main, pkg, file string) bool {
	defer func(before *debug.BuildInfo) { build = before }(build)
	build = &debug.BuildInfo{Main: debug.Module{Path: main}}
	return inApp(pkg, file)
}

// ForgetProcess forgets what was said for the process.
func ForgetProcess() {
	process.mu.Lock()
	defer process.mu.Unlock()
	process.said = Event{}
}
