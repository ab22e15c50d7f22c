// What only the tests need of the package's inside.

package obs

import "time"

// EndPeriods makes the current minutes of all kinds of events end now.
func EndPeriods() {
	outgoing.L.Lock()
	defer outgoing.L.Unlock()
	for _, w := range outgoing.windows {
		w.ends = time.Now()
	}
	outgoing.Broadcast()
}

// ForgetSources forgets the files whose lines are remembered, and answers how many they were.
func ForgetSources() (count int) {
	files.Range(func(file, _ any) bool {
		files.Delete(file)
		count++
		return true
	})
	return count
}
