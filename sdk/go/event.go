// The event type: what is sent to the server.

package obs

import "time"

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
	Mechanism   map[string]any `json:"mechanism,omitempty"` // {"handled": false} if Recover or Handler reported it

	User        *User             `json:"user,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	Request     *Request          `json:"request,omitempty"`
	Contexts    map[string]any    `json:"contexts,omitempty"`    // further objects by name, shown as they are
	Breadcrumbs []Breadcrumb      `json:"breadcrumbs,omitempty"` // oldest first
	SDK         map[string]string `json:"sdk"`                   // name and version of the SDK
}

// A User is who was affected. The server distinguishes users by the first of ID, Email, Username and IPAddress that
// is set.
type User struct {
	ID        string `json:"id,omitempty"`
	Email     string `json:"email,omitempty"`
	Username  string `json:"username,omitempty"`
	IPAddress string `json:"ip_address,omitempty"`
	Name      string `json:"name,omitempty"`
}

// A Request is the HTTP request that was being handled. It has no body, and [Handler] leaves out what carries secrets.
type Request struct {
	Method      string            `json:"method"`
	URL         string            `json:"url"` // without the query
	QueryString string            `json:"query_string,omitempty"`
	Headers     map[string]string `json:"headers,omitempty"`
}

// A Breadcrumb is something that happened before an event.
type Breadcrumb struct {
	Timestamp time.Time      `json:"timestamp"` // default: now
	Message   string         `json:"message,omitempty"`
	Category  string         `json:"category,omitempty"` // such as cart or sql
	Level     Level          `json:"level,omitempty"`
	Type      string         `json:"type,omitempty"` // such as http, navigation or user
	Data      map[string]any `json:"data,omitempty"`
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
