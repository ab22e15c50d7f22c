// The event type, and how an error or a panic becomes an event.

package obs

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"reflect"
	"runtime"
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
	Mechanism   *Mechanism     `json:"mechanism,omitempty"` // nil unless Recover or Handler reported the event

	SDK map[string]string `json:"sdk"` // name and version of the SDK
}

// A Mechanism says how an error came to be reported.
type Mechanism struct {
	Handled bool `json:"handled"` // false if the program did not recover the panic itself
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

// newErrorEvent returns an event for an error or any other value passed to panic. Its stack trace is the given one,
// unless an error carries its own.
func newErrorEvent(value any, stack []runtime.Frame) *Event {
	chain, own := unwrap(value)
	if own != nil {
		stack = own
	}
	return &Event{Level: LevelError, Type: chain[0].Type, Message: chain[0].Message, Causes: chain[1:], Stacktrace: stacktrace(stack)}
}

// text returns a value as text. Error and String methods belong to the program and may panic; those of a nil
// pointer usually do.
func text(value any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("[unserialisable: %T]", value)
			if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer && v.IsNil() {
				text = "<nil>" // as package fmt prints it
			}
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

// unwrap returns a value followed by the errors it wraps, depth first, and the innermost stack trace on the way to
// the first of them that carries one.
func unwrap(value any) (found []Cause, stack []runtime.Frame) {
	var visit func(any)
	visit = func(value any) {
		if len(found) > maxCauses { // It may wrap itself.
			return
		}
		found = append(found, Cause{fmt.Sprintf("%T", value), text(value)})
		for _, err := range wrapped(value) {
			if err != nil {
				visit(err)
			}
		}
		// The stack trace of an error in a package variable only shows how the program started.
		if own := expand(stackOf(value)); stack == nil && index(own, "runtime.doInit") < 0 {
			stack = own
		}
	}
	visit(value)
	return found, stack
}

// wrapped returns the errors that a value wraps directly. Its methods may panic too.
func wrapped(value any) []error {
	defer func() { _ = recover() }()
	switch err := value.(type) {
	case interface{ Unwrap() error }:
		return []error{err.Unwrap()}
	case interface{ Unwrap() []error }:
		return err.Unwrap()
	case interface{ Cause() error }: // older packages
		return []error{err.Cause()}
	}
	return nil
}

// stackOf returns the stack trace that an error carries, as runtime.Callers returned it, or nil.
func stackOf(err any) (pcs []uintptr) {
	defer func() { _ = recover() }() // A method may panic, or have another signature.
	switch err := err.(type) {
	case interface{ Callers() []uintptr }: // github.com/go-errors/errors
		return err.Callers()
	case interface{ StackFrames() []uintptr }: // github.com/rotisserie/eris
		return err.StackFrames()
	}
	// github.com/pkg/errors, github.com/cockroachdb/errors and others: a slice of a type of their own.
	if method := reflect.ValueOf(err).MethodByName("StackTrace"); method.IsValid() {
		trace := method.Call(nil)[0]
		for i := 0; i < trace.Len(); i++ {
			pcs = append(pcs, uintptr(trace.Index(i).Uint()))
		}
	}
	return pcs
}

// newID returns a version 7 UUID. Its first 48 bits are the time: time-ordered IDs are cheaper for the
// server to index.
func newID(now time.Time) string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:], uint64(now.UnixMilli())<<16)
	_, _ = rand.Read(id[6:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
