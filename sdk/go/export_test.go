// Internals exported to the tests.

package obs

import "time"

// EndWindows ends the current window of every error.
func EndWindows() {
	outgoing.L.Lock()
	defer outgoing.L.Unlock()
	for _, w := range outgoing.windows {
		w.ends = time.Now()
	}
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
