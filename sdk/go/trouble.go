// What is said of trouble, on standard error: one line a kind until it is over. Its own trouble the SDK never captures.

package obs

import (
	"fmt"
	"os"
)

// The kinds of trouble. A panic in the program's own code is one more for each place.
const (
	unusable    = "unusable"
	unreachable = "unreachable"
	refused     = "refused"
	full        = "full"
)

// complain says one line on standard error, never with the key or with what was captured.
func (c *client) complain(trouble, format string, args ...any) {
	if !c.complained[trouble] {
		c.complained[trouble] = true
		fmt.Fprintf(os.Stderr, "obs: "+format+"\n", args...)
	}
}

// calm ends all trouble once the queue is empty. Before, a full queue drops and accepts events in turn.
func (c *client) calm() {
	if len(c.queue) > 0 {
		return
	}
	if c.dropped > 0 {
		fmt.Fprintf(os.Stderr, "obs: the queue is empty again; %d events were dropped\n", c.dropped)
	}
	c.dropped = 0
	clear(c.complained)
}

// lose counts an event that will not be sent.
func (c *client) lose(trouble, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost++
	c.complain(trouble, format, args...)
}
