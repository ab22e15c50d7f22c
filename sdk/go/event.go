// What is sent: the event, as BeforeSend sees it and as JSON, and how one is made of an error or a message.

package obs

import (
	"crypto/rand"
	"fmt"
	"reflect"
	"time"
)

const maxCauses = 20

// Level says how bad it is.
type Level string

// The levels that the server knows.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
	LevelInfo    Level = "info"
)

// An Event is one report.
type Event struct {
	EventID     string         `json:"event_id"` // set by the SDK: a retry must be known by it
	Level       Level          `json:"level"`
	Type        string         `json:"type,omitempty"` // as %T prints it; none for a message
	Message     string         `json:"message"`
	Stacktrace  []Frame        `json:"stacktrace,omitempty"` // most recent call first
	Causes      []Cause        `json:"causes,omitempty"`     // what the error wraps, depth first
	Platform    string         `json:"platform"`
	Timestamp   string         `json:"timestamp"` // UTC, ISO 8601
	ServerName  string         `json:"server_name,omitempty"`
	Environment string         `json:"environment,omitempty"`
	Release     string         `json:"release,omitempty"`
	Fingerprint []string       `json:"fingerprint,omitempty"`
	Extra       map[string]any `json:"extra,omitempty"`
	SDK         SDK            `json:"sdk"`
}

// A Frame is one call of a stack trace.
type Frame struct {
	Filename string `json:"filename"`
	Function string `json:"function"`
	Lineno   int    `json:"lineno"`
	InApp    bool   `json:"in_app"` // of the main module, not of a library
	Source
}

// Source is what stands in the file at a frame's line, and around it.
type Source struct {
	PreContext  []string `json:"pre_context,omitempty"`
	ContextLine string   `json:"context_line,omitempty"`
	PostContext []string `json:"post_context,omitempty"`
}

// A Cause is an error that another one wraps.
type Cause struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// SDK names what sent an event.
type SDK struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// A note is the text of a message; everything else that is captured is an error, or was panicked with.
type note string

func newEvent(thing any, level Level) *Event {
	e := &Event{
		EventID:   newID(time.Now()),
		Level:     level,
		Platform:  "go",
		Timestamp: time.Now().UTC().Format("2006-01-02T15:04:05.000Z"),
		SDK:       SDK{"obs-go", Version},
	}
	if message, ok := thing.(note); ok {
		e.Message = string(message)
		return e
	}
	e.Type, e.Message = fmt.Sprintf("%T", thing), text(thing)
	if err, ok := thing.(error); ok {
		e.Causes = causes(err)
	}
	return e
}

// text asks a value for its text. The methods that give it are the program's own, and may panic.
func text(value any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("[%T cannot be printed]", value)
		}
	}()
	if err, ok := value.(error); ok {
		return err.Error()
	}
	return fmt.Sprint(value)
}

// causes lists what an error wraps, depth first. An Unwrap that panics ends the list.
func causes(err error) (found []Cause) {
	defer func() { _ = recover() }()
	seen := map[error]bool{}
	fresh := func(err error) bool {
		if !reflect.ValueOf(err).Comparable() {
			return true // It cannot be a key. If it is part of a cycle, the limit ends that.
		}
		known := seen[err]
		seen[err] = true
		return !known
	}
	var visit func(error)
	visit = func(parent error) {
		for _, err := range wrapped(parent) {
			if err != nil && len(found) < maxCauses && fresh(err) {
				found = append(found, Cause{fmt.Sprintf("%T", err), text(err)})
				visit(err)
			}
		}
	}
	fresh(err)
	visit(err)
	return found
}

func wrapped(err error) []error {
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		return []error{err.Unwrap()}
	case interface{ Unwrap() []error }:
		return err.Unwrap()
	}
	return nil
}

// newID makes a UUID of version 7: its first 48 bits are the time, so ids sort by it, which the server's index likes.
func newID(now time.Time) string {
	var id [16]byte
	_, _ = rand.Read(id[6:])
	for i, ms := 5, now.UnixMilli(); i >= 0; i, ms = i-1, ms>>8 {
		id[i] = byte(ms)
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
