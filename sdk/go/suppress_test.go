// Repeats: at most 100 per minute are sent, plus one with the number of the rest.

package obs_test

import (
	"errors"
	"fmt"
	"testing"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

func TestTenThousandRepeatsAreCountedWith101Events(t *testing.T) {
	s := start(t, obs.Options{})
	sent := 0
	for i := 0; i < 10_000; i++ {
		if obs.CaptureException(errors.New("repeated"), obs.WithExtra(map[string]any{"i": i})) != "" {
			sent++
		}
	}
	equal(t, "number of ids", sent, 100)
	events := s.flushed(t)
	equal(t, "number of events", len(events), 101)
	equal(t, "suppressed", events[100].Suppressed, 9_899)
	equal(t, "last extra", events[100].Extra["i"], any(100.0))
}

func TestHeldBackEventIsSentWhenTheMinuteEnds(t *testing.T) {
	s := start(t, obs.Options{})
	for i := 0; i < 103; i++ {
		obs.CaptureMessage("repeated")
	}
	eventually(t, "100 events", func() bool { return len(s.events()) == 100 })
	obs.EndWindow()
	eventually(t, "101 events", func() bool { return len(s.events()) == 101 })
	equal(t, "suppressed", s.events()[100].Suppressed, 2)
	obs.CaptureMessage("repeated")
	equal(t, "number of events in a new minute", len(s.flushed(t)), 102)
}

func TestRepeatsHaveTheSameTypeMessageAndTopFrame(t *testing.T) {
	s := start(t, obs.Options{})
	for i := 0; i < 101; i++ {
		obs.CaptureException(errors.New("same"))
		obs.CaptureException(errors.New("same")) // another line
		obs.CaptureException(fmt.Errorf("same%w", errors.New("")))
		obs.CaptureMessage("same")
	}
	equal(t, "number of events", len(s.flushed(t)), 404)
	for _, e := range s.events() {
		equal(t, "suppressed", e.Suppressed, 0)
	}
}

func TestHeldBackEventIsSentIfThereAreTooManyOthers(t *testing.T) {
	s := start(t, obs.Options{})
	for i := 0; i < 105; i++ {
		obs.CaptureMessage("repeated")
	}
	for i := 0; i < 1000; i++ {
		obs.CaptureMessage(fmt.Sprint("other ", i))
	}
	eventually(t, "1,101 events without a flush", func() bool { return len(s.events()) == 1101 })
	suppressed := 0
	for _, e := range s.events() {
		suppressed += e.Suppressed
	}
	equal(t, "suppressed", suppressed, 4)
}
