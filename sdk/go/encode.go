// An event as JSON that the server takes, whatever the program has put into it.

package obs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

const (
	maxEvent   = 1_000_000 // bytes; the server takes 1 MiB
	maxMessage = 8_192     // characters, as many as the server stores
	maxText    = 200       // characters of a name, or of a line of source
	maxParts   = 8         // of a fingerprint
	maxDepth   = 32        // of extra
	maxWork    = 4_000_000 // bytes of text in extra that are looked at, and 4 for each value
)

// encode makes JSON of at most maxEvent bytes. Where it is more, what is least missed goes first.
func encode(e *Event) []byte {
	e.Message = clip(e.Message, maxMessage)
	if e.Message == "" && e.Type == "" {
		e.Message = "(empty message)" // The server refuses what says nothing.
	}
	for _, field := range []*string{&e.Type, (*string)(&e.Level), &e.ServerName, &e.Environment, &e.Release} {
		*field = clip(*field, maxText)
	}
	e.Fingerprint = e.Fingerprint[:min(len(e.Fingerprint), maxParts)]
	extra := e.Extra
	for step := 0; ; step++ {
		switch step {
		case 0:
			e.Extra = plain(extra, maxEvent)
		case 1:
			e.Extra = plain(extra, maxMessage)
		case 2:
			size := len(marshal(plain(extra, maxEvent)))
			e.Extra = map[string]any{"obs": fmt.Sprintf("extra of %d bytes was left out", size)}
		case 3:
			for i := range e.Stacktrace {
				e.Stacktrace[i].Source = Source{}
			}
		case 4:
			e.Causes, e.Stacktrace = nil, e.Stacktrace[:min(len(e.Stacktrace), 20)]
		default:
			panic("an event that stays too large") // Only BeforeSend can make one.
		}
		if body := marshal(e); len(body) <= maxEvent {
			return body
		}
	}
}

func marshal(value any) []byte {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // No page reads this, and an escape is six bytes for one.
	if err := encoder.Encode(value); err != nil {
		panic(err) // Never: what plain made can be encoded, and so can text.
	}
	return body.Bytes()
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

// plain copies extra as values that JSON can express, with strings cut to so many characters. What it cannot
// express is replaced by itself: encoding/json would refuse the whole.
func plain(extra map[string]any, longest int) map[string]any {
	p := plainer{longest: longest, left: maxWork, within: map[uintptr]bool{}}
	tree, _ := p.value(extra, 1).(map[string]any)
	return tree
}

type plainer struct {
	longest, left int
	within        map[uintptr]bool // the maps and slices on the way to the value
}

func (p *plainer) value(value any, depth int) any {
	if p.left -= 4; p.left < 0 {
		return "[too large]"
	}
	switch value := value.(type) {
	case nil, bool, int:
		return value
	case json.Number:
		if json.Valid([]byte(value)) {
			return value
		}
		return p.value(string(value), depth)
	case string:
		value = clip(value, p.longest)
		p.left -= len(value)
		return value
	case error: // Most have no exported fields, and would be {}.
		return p.value(text(value), depth)
	case map[string]any:
		return p.container(value, depth, func() any {
			tree := map[string]any{}
			for key, each := range value {
				tree[clip(key, p.longest)] = p.value(each, depth+1)
			}
			return tree
		})
	case []any:
		return p.container(value, depth, func() any {
			list := []any{}
			for i := 0; i < len(value) && p.left >= 0; i++ {
				list = append(list, p.value(value[i], depth+1))
			}
			return list
		})
	}
	tree, err := marshalled(value)
	if err != nil {
		return clip(fmt.Sprintf("[unserialisable: %T]", value), maxText)
	}
	return p.value(tree, depth)
}

func (p *plainer) container(value any, depth int, copied func() any) any {
	address := reflect.ValueOf(value).Pointer()
	if p.within[address] {
		return "[circular]"
	}
	if depth > maxDepth {
		return "[too deep]"
	}
	p.within[address] = true
	defer delete(p.within, address)
	return copied()
}

// marshalled lets any other value encode itself, which may fail and even panic, and reads what came of it.
func marshalled(value any) (tree any, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %T", panicked)
		}
	}()
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	err = decoder.Decode(&tree)
	return tree, err
}
