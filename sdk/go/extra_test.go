// Values in extra: what JSON can express arrives, anything else is replaced.

package obs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

type panicky struct{}

func (panicky) MarshalJSON() ([]byte, error) { panic("no JSON") }

type node struct {
	Name   string
	Parent *node
}

// extraOf sends a message with the given extra and returns the extra that arrived.
func extraOf(t *testing.T, extra map[string]any) map[string]any {
	t.Helper()
	s := start(t, obs.Options{})
	obs.CaptureMessage("with extra", obs.WithExtra(extra))
	return s.only(t).Extra
}

func TestExtraKeepsValuesThatJSONCanExpress(t *testing.T) {
	got := extraOf(t, map[string]any{
		"int": int64(1 << 53), "float": 0.1, "float32": float32(0.1), "text": "<b>&日本語🦀", "nothing": nil, "list": []any{1, "two", true},
		"strings": []string{"a"}, "bytes": []byte("ab"), "time": time.Unix(0, 0).UTC(), "map": map[int]string{1: "one"},
		"struct": struct {
			Name   string `json:"name"`
			hidden int
		}{"n", 1},
		"error": errors.New("inner"), "raw": json.RawMessage(`{"long":123456789012345678901234567890}`),
	})
	text, _ := json.Marshal(got)
	want := `{"bytes":"YWI=","error":"inner","float":0.1,"float32":0.1,"int":9007199254740992,"list":[1,"two",true],"map":{"1":"one"},` +
		`"raw":{"long":1.2345678901234568e+29},"strings":["a"],"struct":{"name":"n"},"text":"\u003cb\u003e\u0026日本語🦀",` +
		`"time":"1970-01-01T00:00:00Z"}`
	equal(t, "extra", string(text), want)
}

func TestValuesThatJSONCannotExpressAreReplaced(t *testing.T) {
	self := map[string]any{"ok": "fine"}
	self["self"] = self
	self["again"] = self
	list := []any{nil}
	list[0] = list
	parent := &node{Name: "parent"}
	parent.Parent = parent
	var empty *node
	got := extraOf(t, map[string]any{
		"ok": "fine", "self": self, "list": list, "function": func() {}, "channel": make(chan int), "nan": math.NaN(),
		"panics": panicky{}, "text": panicError{}, "cycle": parent, "number": json.Number("not a number"), "nil": empty, "complex": 1i,
	})
	for name, want := range map[string]string{
		"ok": "fine", "self": "[unserialisable: map[string]interface {}]", "list": "[unserialisable: []interface {}]",
		"function": "[unserialisable: func()]", "channel": "[unserialisable: chan int]", "nan": "[unserialisable: float64]",
		"panics": "[unserialisable: obs_test.panicky]", "text": "[unserialisable: obs_test.panicError]",
		"cycle": "[unserialisable: *obs_test.node]", "number": "[unserialisable: json.Number]", "nil": "<nil>", "complex": "[unserialisable: complex128]",
	} {
		equal(t, name, fmt.Sprint(got[name]), want)
	}
}

func TestInvalidUTF8IsReplaced(t *testing.T) {
	s := start(t, obs.Options{})
	obs.CaptureMessage("broken: \xff\xfe :end\x00", obs.WithExtra(map[string]any{"bad\xff": "\xff"}))
	e := s.only(t)
	equal(t, "message", e.Message, "broken: \ufffd\ufffd :end\x00")
	equal(t, "extra", fmt.Sprint(e.Extra), "map[bad\ufffd:\ufffd]")
}

func TestDeeplyNestedExtraIsReplaced(t *testing.T) {
	var deep any = "bottom"
	for i := 0; i < 200; i++ {
		deep = map[string]any{"d": deep}
	}
	deepest := deep
	for i := 0; i < 100_000; i++ {
		deepest = []any{deepest}
	}
	raw := json.RawMessage(strings.Repeat("[", 500) + strings.Repeat("]", 500))
	text := fmt.Sprint(extraOf(t, map[string]any{"deep": deep, "raw": raw, "deepest": deepest, "ok": "fine"}))
	if strings.Count(text, "[too deep: ") != 3 || !strings.Contains(text, "ok:fine") {
		t.Errorf("got extra %s", text)
	}
}

func TestLargeExtraArrivesUnchanged(t *testing.T) {
	s := start(t, obs.Options{})
	blob := strings.Repeat("<", 900_000) // six times as long if escaped
	obs.CaptureException(errors.New("large"), obs.WithExtra(map[string]any{"blob": blob}))
	e := s.only(t)
	if e.Extra["blob"] != blob || len(e.Stacktrace) == 0 || e.Stacktrace[0].ContextLine == "" {
		t.Errorf("event was reduced to %d bytes", e.size)
	}
}

func TestHugeValueIsReplaced(t *testing.T) {
	got := extraOf(t, map[string]any{"huge": make([]int, 600_000), "text": strings.Repeat("x", 900_000), "ok": "fine"})
	equal(t, "huge", got["huge"], any("[too large: 1200001 bytes]"))
	equal(t, "length of the text", len(got["text"].(string)), 900_000)
	equal(t, "ok", got["ok"], any("fine"))
}

func TestOversizedExtraIsReduced(t *testing.T) {
	many := map[string]any{}
	for i := 0; i < 100_000; i++ {
		many[fmt.Sprint("key ", i)] = i
	}
	for name, c := range map[string]struct {
		extra map[string]any
		check func(e received) bool
	}{
		"one long text": {
			map[string]any{"ok": "fine", "blob": strings.Repeat("x", 3_000_000)},
			func(e received) bool {
				return e.Extra["ok"] == "fine" && len(e.Extra["blob"].(string)) == 8191+len("…")
			},
		},
		"many values": {many, func(e received) bool {
			return len(e.Extra) == 1 && strings.HasSuffix(e.Extra["obs"].(string), " too large")
		}},
	} {
		s := start(t, obs.Options{})
		obs.CaptureException(errors.New(name), obs.WithExtra(c.extra))
		e := s.only(t)
		if e.size > 1_000_000 || !c.check(e) || len(e.Stacktrace) == 0 {
			t.Errorf("%s: %d bytes: %.300s", name, e.size, e.raw)
		}
	}
}

func TestEventMadeTooLargeByBeforeSendIsReducedOrRejected(t *testing.T) {
	grow := func(e *obs.Event) {}
	s := serve(t, scripted(http.StatusCreated, http.StatusRequestEntityTooLarge))
	obs.Init(obs.Options{DSN: s.dsn(), BeforeSend: func(e *obs.Event) *obs.Event { grow(e); return e }})
	grow = func(e *obs.Event) { e.Causes = []obs.Cause{{Message: strings.Repeat("c", 2_000_000)}} }
	obs.CaptureException(errors.New("large causes"))
	e := s.only(t)
	equal(t, "number of causes", len(e.Causes), 0)
	grow = func(e *obs.Event) { e.Stacktrace[0].Filename = strings.Repeat("f", 2_000_000) }
	obs.CaptureException(errors.New("huge file name"))
	equal(t, "Flush after a loss", obs.Flush(20*time.Second), false)
}
