// Encodes events as JSON within the server's limits, whatever values the program puts into them.

package obs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

const (
	maxEvent   = 1_000_000 // bytes per event; the server accepts 1 MiB
	maxMessage = 8_192     // characters; the server stores as many
)

// tooDeep is in the indented JSON of a value with more than 64 levels. The server accepts 127 levels of an event.
var tooDeep = []byte("\n" + strings.Repeat("\t", 65))

// encode returns the event as JSON. If that exceeds maxEvent bytes, encode removes the least useful data first.
func encode(e *Event) []byte {
	e.Message = clip(e.Message, maxMessage)
	if strings.TrimSpace(e.Message) == "" && e.Type == "" {
		e.Message = "(empty message)" // The server rejects events with neither.
	}
	if e.Level != LevelError && e.Level != LevelWarning && e.Level != LevelInfo {
		say(0, "unknown level %.20q; the levels are error, warning and info", e.Level)
	}
	if len(e.Fingerprint) > 8 { // The server would ignore all of it.
		say(0, "a fingerprint has at most 8 strings; the others were dropped")
		e.Fingerprint = e.Fingerprint[:8]
	}
	if e.User != nil && *e.User == (User{}) {
		e.User = nil
	}
	maps.DeleteFunc(e.Tags, func(_, value string) bool { return value == "" })
	maps.DeleteFunc(e.Extra, func(_ string, value any) bool { return value == nil })
	for i, crumb := range e.Breadcrumbs {
		e.Breadcrumbs[i].Data = plainMap(crumb.Data, maxMessage)
	}
	for _, limit := range []int{maxEvent, maxMessage} {
		e.Extra, e.Contexts = plainMap(e.Extra, limit), plainMap(e.Contexts, limit)
		if body := marshal(e); len(body) <= maxEvent {
			return body
		}
	}
	e.Contexts, e.Breadcrumbs, e.Request, e.Causes = nil, nil, nil, nil
	e.Extra = map[string]any{"obs": "extra, contexts, breadcrumbs, request and causes omitted: too large"}
	e.Stacktrace = e.Stacktrace[:min(len(e.Stacktrace), 20)]
	return marshal(e)
}

func marshal(value any) []byte {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // Escapes take six bytes, and the JSON is not embedded in HTML.
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(body.Bytes())
}

// plainMap returns another map with the same values, as JSON or text.
func plainMap(values map[string]any, limit int) map[string]any {
	converted := make(map[string]any, len(values))
	for key, value := range values {
		converted[key] = plain(value, limit)
	}
	return converted
}

// plain returns text as text of at most limit characters, and any other value as JSON of at most limit
// bytes. Each value is converted on its own, so that one that panics or cannot be encoded does not affect others.
func plain(value any, limit int) (converted any) {
	defer func() {
		if recover() != nil {
			converted = fmt.Sprintf("[unserialisable: %T]", value)
		}
	}()
	switch value := value.(type) {
	case nil:
		return nil
	case string:
		return clip(value, limit)
	case error: // Most would be encoded as {}.
		return clip(fmt.Sprint(value), limit)
	}
	var indented bytes.Buffer
	body := marshal(value)
	if json.Indent(&indented, body, "", "\t") != nil || bytes.Contains(indented.Bytes(), tooDeep) {
		return fmt.Sprintf("[too deep: %T]", value)
	}
	if len(body) > limit {
		return fmt.Sprintf("[too large: %d bytes]", len(body))
	}
	return json.RawMessage(body)
}

// clip truncates text to limit characters. The last character of truncated text is an ellipsis.
func clip(text string, limit int) string {
	runes := []rune(text[:min(len(text), 4*limit+1)]) // A character has at most four bytes.
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit-1]) + "…"
}
