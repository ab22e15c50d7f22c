// Encodes events as JSON within the server's limits, whatever values the program puts into them.

package obs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

const (
	maxEvent   = 1_000_000 // bytes per event; the server accepts 1 MiB
	maxMessage = 8_192     // characters; the server stores as many
	maxText    = 200       // characters in a name or a line of source
	maxParts   = 8         // strings in a fingerprint
	maxDepth   = 32        // nesting levels of a value in extra
)

// encode returns the event as JSON of at most maxEvent bytes. If an event is too large, encode removes
// the least useful data first. It returns nil if the event is still too large, which only happens if
// BeforeSend made it so.
func encode(e *Event) []byte {
	e.Message = clip(e.Message, maxMessage)
	if strings.TrimSpace(e.Message) == "" && e.Type == "" {
		e.Message = "(empty message)" // The server rejects events with neither.
	}
	for _, field := range []*string{&e.Type, (*string)(&e.Level), &e.ServerName, &e.Environment, &e.Release} {
		*field = clip(*field, maxText)
	}
	e.Fingerprint = e.Fingerprint[:min(len(e.Fingerprint), maxParts)]
	extra := make(map[string]any, len(e.Extra)) // The program's own map must not change.
	for key, value := range e.Extra {
		extra[key] = trim(plain(value), maxDepth, maxEvent)
	}
	e.Extra = extra
	for _, shorten := range []func(){
		func() {},
		func() { trim(extra, maxDepth+1, maxMessage) },
		func() {
			e.Extra = map[string]any{"obs": fmt.Sprintf("extra omitted: %d bytes", len(marshal(extra)))}
		},
		func() { e.Causes, e.Stacktrace = nil, e.Stacktrace[:min(len(e.Stacktrace), 20)] },
	} {
		shorten()
		if body := marshal(e); len(body) <= maxEvent {
			return body
		}
	}
	return nil
}

func marshal(value any) []byte {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // Escapes take six bytes, and the JSON is not embedded in HTML.
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return body.Bytes()
}

// plain converts a value to the types of encoding/json. Each value is converted on its own, so that one that
// panics or cannot be encoded does not affect the others.
func plain(value any) (tree any) {
	defer func() {
		if recover() != nil {
			tree = fmt.Sprintf("[unserialisable: %T]", value)
		}
	}()
	switch value.(type) {
	case error, string: // Most errors would be encoded as {}. A huge string is truncated before it is copied.
		return text(value)
	}
	body := marshal(value)
	if len(body) > maxEvent && body[0] != '"' {
		return fmt.Sprintf("[too large: %T of %d bytes]", value, len(body))
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		panic(err) // Nested too deep even for encoding/json.
	}
	return tree
}

// trim truncates strings to longest characters, and replaces values nested deeper than depth.
func trim(value any, depth, longest int) any {
	if depth < 0 {
		return "[too deep]"
	}
	switch value := value.(type) {
	case string:
		return clip(value, longest)
	case []any:
		for i, item := range value {
			value[i] = trim(item, depth-1, longest)
		}
	case map[string]any:
		for key, item := range value {
			value[key] = trim(item, depth-1, longest)
		}
	}
	return value
}

// clip truncates text to limit characters. The last character of truncated text is an ellipsis.
func clip(text string, limit int) string {
	count, end := 0, 0
	for i := range text {
		if count++; count == limit {
			end = i
		} else if count > limit {
			return text[:end] + "…"
		}
	}
	return text
}
