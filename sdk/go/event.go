// What is sent: the event, as BeforeSend sees it and as JSON, and how one is made of an error or a message.

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

	SDK map[string]string `json:"sdk"` // its name and version
}

// A Frame is one call of a stack trace.
type Frame struct {
	Filename string `json:"filename"`
	Function string `json:"function"`
	Lineno   int    `json:"lineno"`
	InApp    bool   `json:"in_app"` // of the main module, not of a library

	// What stands in the file at that line, and around it.
	PreContext  []string `json:"pre_context,omitempty"`
	ContextLine string   `json:"context_line,omitempty"`
	PostContext []string `json:"post_context,omitempty"`
}

// A Cause is an error that another one wraps.
type Cause struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

// thrown makes an event of an error, or of anything else that was panicked with.
func thrown(value any) *Event {
	chain := chain(value)
	return &Event{Level: LevelError, Type: chain[0].Type, Message: chain[0].Message, Causes: chain[1:]}
}

// text asks a value for its text. The methods that give it are the program's own, and may panic.
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
	if kind := reflect.ValueOf(value).Kind(); kind < reflect.Array || kind == reflect.String { // The former are numbers and bools.
		return fmt.Sprint(value)
	}
	return strings.TrimSpace(string(marshal(value))) // It finds cycles; fmt would follow them until the stack overflows.
}

// chain lists a value and then what it wraps, depth first, each once. An Unwrap that panics ends the list.
func chain(value any) (found []Cause) {
	defer func() { _ = recover() }()
	seen := map[any]bool{}
	var visit func(any)
	visit = func(value any) {
		known := reflect.ValueOf(value).Comparable() // If not, and it is part of a cycle, the limit ends that.
		if len(found) > maxCauses || known && seen[value] {
			return
		}
		if known {
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
