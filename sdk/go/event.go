// The event type, and how an error or a panic becomes an event.

package obs

import (
	"crypto/rand"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

const maxCauses = 20

// A Level is the severity of an event.
type Level string

// The levels that the server accepts.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
	LevelInfo    Level = "info"
)

// An Event is what is sent to the server.
type Event struct {
	EventID     string         `json:"event_id"` // set by the SDK; identifies retries
	Level       Level          `json:"level"`
	Type        string         `json:"type,omitempty"` // as printed by %T; empty for a message
	Message     string         `json:"message"`
	Stacktrace  []Frame        `json:"stacktrace,omitempty"` // most recent call first
	Causes      []Cause        `json:"causes,omitempty"`     // wrapped errors, depth first
	Platform    string         `json:"platform"`
	Timestamp   string         `json:"timestamp"` // UTC, ISO 8601
	ServerName  string         `json:"server_name,omitempty"`
	Environment string         `json:"environment,omitempty"`
	Release     string         `json:"release,omitempty"`
	Fingerprint []string       `json:"fingerprint,omitempty"`
	Extra       map[string]any `json:"extra,omitempty"`

	SDK map[string]string `json:"sdk"` // name and version of the SDK
}

// A Frame is one function call in a stack trace.
type Frame struct {
	Filename string `json:"filename"`
	Function string `json:"function"`
	Lineno   int    `json:"lineno"`
	InApp    bool   `json:"in_app"` // part of the main module

	// Source code: the line itself, and up to three lines before and after it.
	PreContext  []string `json:"pre_context,omitempty"`
	ContextLine string   `json:"context_line,omitempty"`
	PostContext []string `json:"post_context,omitempty"`
}

// A Cause is a wrapped error.
type Cause struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// newErrorEvent returns an event for an error or any other value passed to panic.
func newErrorEvent(value any) *Event {
	chain := unwrap(value)
	return &Event{Level: LevelError, Type: chain[0].Type, Message: chain[0].Message, Causes: chain[1:]}
}

// text returns a value as text. Error and String methods belong to the program and may panic.
func text(value any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("[unserialisable: %T]", value)
		}
	}()
	switch value := value.(type) {
	case string:
		return value
	case error:
		return value.Error()
	case fmt.Stringer:
		return value.String()
	case []byte:
		return string(value[:min(len(value), maxMessage*utf8.UTFMax)])
	}
	if kind := reflect.ValueOf(value).Kind(); kind < reflect.Array || kind == reflect.String { // Kinds below Array are numbers and bools.
		return fmt.Sprint(value)
	}
	return strings.TrimSpace(string(marshal(value))) // JSON detects cycles; fmt would overflow the stack.
}

// unwrap returns a value followed by the errors it wraps, depth first and without duplicates. It
// stops at an Unwrap method that panics.
func unwrap(value any) (found []Cause) {
	defer func() { _ = recover() }()
	seen := map[any]bool{}
	var visit func(any)
	visit = func(value any) {
		hashable := reflect.ValueOf(value).Comparable() // If not, only maxCauses ends a cycle.
		if len(found) > maxCauses || hashable && seen[value] {
			return
		}
		if hashable {
			seen[value] = true
		}
		found = append(found, Cause{fmt.Sprintf("%T", value), text(value)})
		for _, err := range wrapped(value) {
			if err != nil {
				visit(err)
			}
		}
	}
	visit(value)
	return found
}

func wrapped(value any) []error {
	switch err := value.(type) {
	case interface{ Unwrap() error }:
		return []error{err.Unwrap()}
	case interface{ Unwrap() []error }:
		return err.Unwrap()
	}
	return nil
}

// newID returns a version 7 UUID. Its first 48 bits are the time: time-ordered IDs are cheaper for the
// server to index.
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
