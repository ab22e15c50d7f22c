// Options and scopes: what a program says about one event, about those of a request, or about all.

package obs

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

const maxBreadcrumbs = 50 // sent with an event

// An Option modifies a single event, or the events of a scope that [NewContext] begins.
type Option func(*Event)

// WithUser says who was affected.
func WithUser(user User) Option { return func(e *Event) { who := user; e.User = &who } }

// WithTags adds tags: text to filter and count by.
func WithTags(tags map[string]string) Option { return func(e *Event) { maps.Copy(e.Tags, tags) } }

// WithExtra adds data of any kind. Its keys override those in [Options].Extra.
func WithExtra(extra map[string]any) Option { return func(e *Event) { maps.Copy(e.Extra, extra) } }

// WithLevel sets the level.
func WithLevel(level Level) Option { return func(e *Event) { e.Level = level } }

// WithFingerprint groups the event by 1 to 8 strings instead of by its type and message.
func WithFingerprint(parts ...string) Option { return func(e *Event) { e.Fingerprint = parts } }

// WithContext adds what the scope of a context says. Options after it override that.
func WithContext(ctx context.Context) Option { return FromContext(ctx).fill }

// unhandled marks an event as a panic that the program did not recover itself.
func unhandled(e *Event) { e.Mechanism = map[string]any{"handled": false} }

// apply runs options, which may add to the maps.
func (e *Event) apply(options []Option) {
	if e.Tags == nil {
		e.Tags, e.Extra, e.Contexts = map[string]string{}, map[string]any{}, map[string]any{}
	}
	for _, option := range options {
		if option == nil {
			say(0, "a nil Option was ignored")
			continue
		}
		option(e)
	}
}

// A Scope holds what applies to all events that are captured with its context: a user, tags, extra and breadcrumbs.
// [NewContext] and [Handler] begin one. It is safe for concurrent use, and may be changed until the last event.
//
// What a scope says overrides what the process says ([SetUser], …) and what the scope around it says, and options of
// a capture override both.
type Scope struct {
	around  *Scope
	request Option // fills in the request, only once an event needs it
	mu      sync.Mutex
	said    Event
}

var process Scope

type scopeKey struct{}

// NewContext returns a context with a scope of its own, which begins with what the options say.
func NewContext(ctx context.Context, options ...Option) context.Context {
	scope := &Scope{around: FromContext(ctx)}
	scope.apply(options...)
	scope.said.Extra = plainMap(scope.said.Extra, maxEvent) // The program may modify its own later.
	scope.said.Contexts = plainMap(scope.said.Contexts, maxEvent)
	return context.WithValue(ctx, scopeKey{}, scope)
}

// FromContext returns the scope of a context, or nil if it has none. The methods of a nil scope do nothing, so that
// what is said about one request never reaches another.
func FromContext(ctx context.Context) *Scope {
	if ctx == nil {
		return nil
	}
	scope, _ := ctx.Value(scopeKey{}).(*Scope)
	return scope
}

// SetUser sets who is affected. An empty User means nobody.
func (s *Scope) SetUser(user User) { s.apply(WithUser(user)) }

// SetTag sets a tag. An empty value removes it.
func (s *Scope) SetTag(name, value string) { s.SetTags(map[string]string{name: value}) }

// SetTags sets several tags and keeps the others.
func (s *Scope) SetTags(tags map[string]string) { s.apply(WithTags(tags)) }

// SetExtra sets data of any kind. The value nil removes it.
func (s *Scope) SetExtra(name string, value any) {
	s.apply(WithExtra(plainMap(map[string]any{name: value}, maxEvent)))
}

// AddBreadcrumb adds a breadcrumb. An event has the last 50.
func (s *Scope) AddBreadcrumb(crumb Breadcrumb) {
	if crumb.Timestamp.IsZero() {
		crumb.Timestamp = time.Now().UTC()
	}
	crumb.Data = plainMap(crumb.Data, maxMessage)
	s.apply(func(e *Event) { e.Breadcrumbs = append(e.Breadcrumbs, crumb) })
}

// SetUser sets who is affected by all later events of the process. An empty User means nobody.
func SetUser(user User) { process.SetUser(user) }

// SetTag sets a tag of all later events of the process. An empty value removes it.
func SetTag(name, value string) { process.SetTag(name, value) }

// SetTags sets several tags of all later events of the process and keeps the others.
func SetTags(tags map[string]string) { process.SetTags(tags) }

// SetExtra sets data of any kind in all later events of the process. The value nil removes it.
func SetExtra(name string, value any) { process.SetExtra(name, value) }

// AddBreadcrumb adds a breadcrumb to all later events of the process. An event has the last 50.
func AddBreadcrumb(crumb Breadcrumb) { process.AddBreadcrumb(crumb) }

// apply lets options change what the scope says.
func (s *Scope) apply(options ...Option) {
	defer dropAfterPanic()
	if s == nil {
		say(0, "a context has no scope; Handler and NewContext begin one")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said.apply(options)
	s.said.Breadcrumbs = s.said.Breadcrumbs[max(0, len(s.said.Breadcrumbs)-maxBreadcrumbs):]
}

// fill adds to an event what the scope and those around it say.
func (s *Scope) fill(e *Event) {
	if s == nil {
		return
	}
	s.around.fill(e)
	if s.request != nil {
		s.request(e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.said.User != nil {
		WithUser(*s.said.User)(e) // BeforeSend may change it.
	}
	maps.Copy(e.Tags, s.said.Tags)
	maps.Copy(e.Extra, s.said.Extra)
	maps.Copy(e.Contexts, s.said.Contexts)
	crumbs := append(e.Breadcrumbs, s.said.Breadcrumbs...)
	slices.SortStableFunc(crumbs, func(a, b Breadcrumb) int { return a.Timestamp.Compare(b.Timestamp) })
	e.Breadcrumbs = crumbs[max(0, len(crumbs)-maxBreadcrumbs):]
}
