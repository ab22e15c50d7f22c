// What only the tests need of the package's inside.

package obs

import "time"

// EndPeriods makes the current minutes of all kinds of events end now.
func EndPeriods() {
	c := active()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.byAge {
		w.ends = time.Now()
	}
	c.changed.Broadcast()
}

// Replaced counts the clients that Init has replaced and that a flush would still ask.
func Replaced() (count int) {
	c := active()
	c.mu.Lock()
	defer c.mu.Unlock()
	for old := c.previous; old != nil; old = old.previous {
		count++
	}
	return count
}
