// An event as JSON that the server takes, whatever the program has put into it.

package obs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

const (
	maxEvent   = 1_000_000 // bytes; the server takes 1 MiB
	maxMessage = 8_192     // characters, as many as the server stores
	maxText    = 200       // characters of a name, or of a line of source
	maxParts   = 8         // of a fingerprint
	maxDepth   = 32        // of a value in extra
	maxKeys    = 100_000   // of extra; more cannot fit, and take long
)

// encode makes JSON of at most maxEvent bytes. Where it is more, what is least missed goes first. An event that stays
// too large, which only BeforeSend can make, is nil.
func encode(e *Event) []byte {
	e.Message = clip(e.Message, maxMessage)
	if strings.TrimSpace(e.Message) == "" && e.Type == "" {
		e.Message = "(empty message)" // The server refuses what says nothing.
	}
	for _, field := range []*string{&e.Type, (*string)(&e.Level), &e.ServerName, &e.Environment, &e.Release} {
		*field = clip(*field, maxText)
	}
	e.Fingerprint = e.Fingerprint[:min(len(e.Fingerprint), maxParts)]
	if len(e.Extra) > maxKeys {
		e.Extra = map[string]any{"obs": fmt.Sprintf("extra of %d keys was left out", len(e.Extra))}
	}
	extra := make(map[string]any, len(e.Extra)) // The program keeps its own as it is.
	for key, value := range e.Extra {
		extra[key] = trim(plain(value), maxDepth, maxEvent)
	}
	e.Extra = extra
	for _, shorten := range []func(){
		func() {},
		func() { trim(extra, maxDepth+1, maxMessage) },
		func() {
			e.Extra = map[string]any{"obs": fmt.Sprintf("extra of %d bytes was left out", len(marshal(extra)))}
		},
		func() {
			for i := range e.Stacktrace {
				frame := &e.Stacktrace[i]
				frame.PreContext, frame.ContextLine, frame.PostContext = nil, "", nil
			}
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
	encoder.SetEscapeHTML(false) // No page reads this, and an escape is six bytes for one.
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return body.Bytes()
}

// plain turns a value into what JSON knows, by itself, so that one that cannot be JSON, or panics, costs only itself.
func plain(value any) (tree any) {
	defer func() {
		if recover() != nil {
			tree = fmt.Sprintf("[unserialisable: %T]", value)
		}
	}()
	switch value.(type) {
	case error, string: // Most errors have no exported fields, and would be {}; a huge string is cut before it is copied.
		return text(value)
	}
	body := marshal(value)
	if len(body) > maxEvent && body[0] != '"' {
		return fmt.Sprintf("[too large: %T of %d bytes]", value, len(body))
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		panic(err) // Too deep even for encoding/json.
	}
	return tree
}

// trim cuts texts to so many characters, and leaves out what is nested too deep.
func trim(value any, depth, longest int) any {
	switch value := value.(type) {
	case string:
		return clip(value, longest)
	case []any:
		if depth == 0 {
			return "[too deep]"
		}
		for i, each := range value {
			value[i] = trim(each, depth-1, longest)
		}
	case map[string]any:
		if depth == 0 {
			return "[too deep]"
		}
		for key, each := range value {
			value[key] = trim(each, depth-1, longest)
		}
	}
	return value
}

// clip cuts a text to so many characters; the last one shows that it was cut.
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
