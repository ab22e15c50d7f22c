// Concurrent use, and goroutines left behind.

package obs_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

func TestAllFunctionsAreSafeForConcurrentUse(t *testing.T) {
	s := start(t, obs.Options{})
	var group sync.WaitGroup
	for i := 0; i < 10; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			for j := 0; j < 30; j++ {
				obs.CaptureException(fmt.Errorf("error %d of %d: %w", j, i, errors.New("cause")))
				recovered(func() { panic(fmt.Sprint("panic ", j, " of ", i)) })
				if j%10 == 0 {
					obs.Init(obs.Options{DSN: s.dsn()})
					obs.Flush(time.Millisecond)
				}
			}
		}(i)
	}
	group.Wait()
	eventually(t, "all events", func() bool { return len(s.events()) == 600 })
	equal(t, "Flush", obs.Flush(20*time.Second), true)
}

func TestRepeatedInitLeaksNoGoroutines(t *testing.T) {
	s := start(t, obs.Options{})
	for i := 0; i < 100; i++ {
		obs.Init(obs.Options{DSN: s.dsn()})
		obs.CaptureMessage(fmt.Sprint("message ", i))
	}
	eventually(t, "all events", func() bool { return len(s.events()) == 100 })
	eventually(t, "one sending goroutine", func() bool {
		stacks := make([]byte, 1<<20)
		return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "(*outbox).run(") <= 1
	})
}
