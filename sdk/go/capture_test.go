// The content of events: errors, messages, options and BeforeSend.

package obs_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

// A panicError panics when asked for its text.
type panicError struct{}

func (panicError) Error() string { panic(panicError{}) }

type cyclic struct{ next error }

func (c *cyclic) Error() string { return "cyclic" }
func (c *cyclic) Unwrap() error { return c.next }

// An endless error wraps itself. As a slice it is not comparable, so visited values cannot include it.
type endless []int

func (endless) Error() string   { return "endless" }
func (e endless) Unwrap() error { return e }

func TestMessageHasLevelInfoAndNoTypeOrStack(t *testing.T) {
	s := start(t, obs.Options{})
	id := obs.CaptureMessage("deploy done")
	e := s.only(t)
	equal(t, "id", e.EventID, id)
	equal(t, "level", e.Level, obs.LevelInfo)
	equal(t, "message", e.Message, "deploy done")
	equal(t, "platform", e.Platform, "go")
	for _, absent := range []string{`"user"`, `"tags"`, `"request"`, `"contexts"`, `"breadcrumbs"`, `"type"`, `"stacktrace"`, `"causes"`, `"extra"`, `"release"`, `"suppressed"`, `null`} {
		if strings.Contains(e.raw, absent) {
			t.Errorf("event contains %s: %s", absent, e.raw)
		}
	}
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("%q is not a version 7 UUID", id)
	}
	when, err := time.Parse("2006-01-02T15:04:05.000Z", e.Timestamp)
	if err != nil || time.Since(when) > time.Minute {
		t.Errorf("got timestamp %s", e.Timestamp)
	}
	host, _ := os.Hostname()
	equal(t, "server name", e.ServerName, host)
}

func TestBlankMessageIsSentWithPlaceholder(t *testing.T) {
	s := start(t, obs.Options{})
	obs.CaptureMessage(" ")
	equal(t, "message", s.only(t).Message, "(empty message)")
}

func TestErrorHasItsTypeAndTheStackOfTheCaller(t *testing.T) {
	s := start(t, obs.Options{})
	_, err := os.Open("/does/not/exist")
	obs.CaptureException(err) // captured here
	e := s.only(t)
	equal(t, "type", e.Type, "*fs.PathError")
	equal(t, "message", e.Message, err.Error())
	equal(t, "level", e.Level, obs.LevelError)
	top := e.Stacktrace[0]
	equal(t, "function", top.Function, "go_test.TestErrorHasItsTypeAndTheStackOfTheCaller")
	equal(t, "context line", top.ContextLine, "\tobs.CaptureException(err) // captured here")
	equal(t, "line before", top.PreContext[2], "\t_, err := os.Open(\"/does/not/exist\")")
	equal(t, "number of lines before", len(top.PreContext), 3)
	equal(t, "number of lines after", len(top.PostContext), 3)
	if !strings.HasSuffix(top.Filename, "/capture_test.go") || top.Lineno == 0 {
		t.Errorf("top frame is %s:%d", top.Filename, top.Lineno)
	}
	for _, frame := range e.Stacktrace {
		if strings.HasPrefix(frame.Function, "testing.") && frame.InApp {
			t.Errorf("%s is marked in_app", frame.Function)
		}
		if strings.HasPrefix(frame.Function, "runtime.") || strings.HasPrefix(frame.Function, "go.") {
			t.Errorf("stack contains %s", frame.Function)
		}
	}
}

func TestNoSourceLinesOmitsSource(t *testing.T) {
	s := start(t, obs.Options{NoSourceLines: true})
	obs.CaptureException(errors.New("secret source"))
	if e := s.only(t); len(e.Stacktrace) == 0 || strings.Contains(e.raw, "context") {
		t.Errorf("got %s", e.raw)
	}
}

func TestNilErrorIsNotCaptured(t *testing.T) {
	s := start(t, obs.Options{})
	equal(t, "id", obs.CaptureException(nil), "")
	equal(t, "number of events", len(s.flushed(t)), 0)
}

func TestErrorWithoutMessageKeepsItsType(t *testing.T) {
	s := start(t, obs.Options{})
	obs.CaptureException(errors.New(""))
	e := s.only(t)
	equal(t, "type", e.Type, "*errors.errorString")
	equal(t, "message", e.Message, "")
}

func TestErrorWithPanickingMethodIsCaptured(t *testing.T) {
	s := start(t, obs.Options{})
	obs.CaptureException(fmt.Errorf("outer: %w", error(&cyclic{panicError{}})))
	obs.CaptureException(panicError{})
	obs.CaptureException((*fs.PathError)(nil))
	events := s.flushed(t)
	equal(t, "number of events", len(events), 3)
	equal(t, "message", events[1].Message, "[unserialisable: obs_test.panicError]")
}

func TestCausesAreListedDepthFirst(t *testing.T) {
	s := start(t, obs.Options{})
	root := errors.New("root")
	obs.CaptureException(fmt.Errorf("outer: %w", errors.Join(fmt.Errorf("left: %w", root), errors.New("right"), nil)))
	var causes []string
	for _, cause := range s.only(t).Causes {
		causes = append(causes, cause.Type+" "+cause.Message)
	}
	equal(t, "causes", strings.Join(causes, "; "),
		"*errors.joinError left: root\nright; *fmt.wrapError left: root; *errors.errorString root; *errors.errorString right")
}

func TestCausesAreLimitedEvenIfTheyAreCyclic(t *testing.T) {
	s := start(t, obs.Options{})
	first := &cyclic{}
	first.next = &cyclic{first}
	obs.CaptureException(first)
	obs.CaptureException(endless{1})
	deep := errors.New("root")
	for i := 0; i < 50; i++ {
		deep = fmt.Errorf("%d: %w", i, deep)
	}
	obs.CaptureException(deep)
	var counts []int
	for _, e := range s.flushed(t) {
		counts = append(counts, len(e.Causes))
	}
	equal(t, "number of causes per event", fmt.Sprint(counts), "[20 20 20]")
}

func TestInitOptionsApplyToEveryEventAndCaptureOptionsOverrideThem(t *testing.T) {
	defaults := map[string]any{"app": "test", "kept": true}
	s := start(t, obs.Options{Environment: "staging", ServerName: "host-7", Release: "1.2.3", Extra: defaults})
	defaults["app"] = "changed later"
	obs.CaptureMessage("first", obs.WithExtra(map[string]any{"app": "call", "n": 1}), obs.WithLevel(obs.LevelWarning),
		obs.WithFingerprint("a", "b"))
	obs.CaptureMessage("second")
	events := s.flushed(t)
	equal(t, "environment", events[0].Environment, "staging")
	equal(t, "server name", events[0].ServerName, "host-7")
	equal(t, "release", events[0].Release, "1.2.3")
	equal(t, "extra", fmt.Sprint(events[0].Extra), "map[app:call kept:true n:1]")
	equal(t, "level", events[0].Level, obs.LevelWarning)
	equal(t, "fingerprint", fmt.Sprint(events[0].Fingerprint), "[a b]")
	equal(t, "second extra", fmt.Sprint(events[1].Extra), "map[app:test kept:true]")
}

func TestBeforeSendModifiesAndDropsEvents(t *testing.T) {
	s := start(t, obs.Options{BeforeSend: func(e *obs.Event) *obs.Event {
		if e.Message == "drop me" {
			return nil
		}
		e.Message = strings.ReplaceAll(e.Message, "secret", "removed")
		e.EventID, e.Extra = "mine", map[string]any{"by": "BeforeSend"}
		return e
	}})
	equal(t, "id of the dropped event", obs.CaptureMessage("drop me"), "")
	id := obs.CaptureMessage("the secret word")
	e := s.only(t)
	equal(t, "message", e.Message, "the removed word")
	equal(t, "extra", fmt.Sprint(e.Extra), "map[by:BeforeSend]")
	equal(t, "id", e.EventID, id)
}

func TestBeforeSendMayAddToExtraWhateverItIs(t *testing.T) {
	s := start(t, obs.Options{BeforeSend: func(e *obs.Event) *obs.Event { e.Extra["by"] = "BeforeSend"; return e }})
	obs.CaptureMessage("without extra")
	equal(t, "extra", fmt.Sprint(s.only(t).Extra), "map[by:BeforeSend]")
}

func TestSourceLinesChangedByBeforeSendAffectOnlyThatEvent(t *testing.T) {
	change := true
	s := start(t, obs.Options{BeforeSend: func(e *obs.Event) *obs.Event {
		if change {
			e.Stacktrace[0].PreContext[2] = "removed"
		}
		change = false
		return e
	}})
	for i := 0; i < 2; i++ { // the line before
		obs.CaptureException(errors.New("twice"))
	}
	events := s.flushed(t)
	equal(t, "line in the first event", events[0].Stacktrace[0].PreContext[2], "removed")
	equal(t, "line in the second event", events[1].Stacktrace[0].PreContext[2], "\tfor i := 0; i < 2; i++ { // the line before")
}

func TestCapturesInBeforeSendAreIgnored(t *testing.T) {
	s := start(t, obs.Options{BeforeSend: func(e *obs.Event) *obs.Event {
		obs.CaptureMessage("from the hook")
		obs.CaptureException(errors.New("from the hook"))
		return e
	}})
	obs.CaptureMessage("outside")
	equal(t, "message", s.only(t).Message, "outside")
}

func TestBeforeSendSeesTheIDAndCannotChangeIt(t *testing.T) {
	var seen string
	s := start(t, obs.Options{BeforeSend: func(e *obs.Event) *obs.Event {
		seen, e.EventID = e.EventID, "changed"
		return e
	}})
	id := obs.CaptureMessage("captured")
	equal(t, "id in BeforeSend", seen, id)
	equal(t, "id on the server", s.only(t).EventID, id)
}

func TestCapturesFarUpTheStackFromBeforeSendAreIgnored(t *testing.T) {
	var descend func(calls int)
	descend = func(calls int) {
		if calls > 0 {
			descend(calls - 1)
			return
		}
		obs.CaptureMessage("from the hook")
	}
	s := start(t, obs.Options{BeforeSend: func(e *obs.Event) *obs.Event { descend(5000); return e }})
	obs.CaptureMessage("outside")
	equal(t, "message", s.only(t).Message, "outside")
}

// capturing captures events while it is being encoded.
type capturing struct{}

func (capturing) MarshalJSON() ([]byte, error) {
	obs.CaptureMessage("from MarshalJSON")
	obs.CaptureException(errors.New("from MarshalJSON"), obs.WithExtra(map[string]any{"again": capturing{}}))
	return []byte("1"), nil
}

func TestCapturesDuringEncodingAreIgnored(t *testing.T) {
	s := start(t, obs.Options{})
	obs.CaptureMessage("outside", obs.WithExtra(map[string]any{"value": capturing{}}))
	equal(t, "extra", fmt.Sprint(s.only(t).Extra), "map[value:1]")
}

func TestLongTextIsTruncatedAtACharacterBoundary(t *testing.T) {
	s := start(t, obs.Options{})
	obs.CaptureMessage(strings.Repeat("🦀", 10_000))
	equal(t, "message", s.only(t).Message, strings.Repeat("🦀", 8191)+"…")
}

func TestHugeTextIsCopiedAtMostTwice(t *testing.T) {
	s := start(t, obs.Options{})
	const size = 50_000_000
	huge := strings.Repeat("h", size)
	for name, capture := range map[string]func(){
		"message": func() { obs.CaptureMessage(huge) },
		"error":   func() { obs.CaptureException(errors.New(huge)) },
		"panic":   func() { recovered(func() { panic(huge) }) },
		"extra":   func() { obs.CaptureMessage("extra", obs.WithExtra(map[string]any{"huge": huge})) },
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		capture()
		runtime.ReadMemStats(&after)
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > size*5/2 {
			t.Errorf("%s: allocated %d bytes", name, allocated)
		}
	}
	equal(t, "number of events", len(s.flushed(t)), 4)
}
