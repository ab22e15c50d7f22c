// The slog.Handler: log records become events.

package obs

import (
	"context"
	"log/slog"
	"maps"
)

type slogHandler struct {
	slog.Handler                // the next one
	group        string         // precedes the names of attributes
	extra        map[string]any // the attributes
	err          error          // the last attribute that is an error
}

// NewSlogHandler returns a handler that passes records on to next and captures those that are errors, with the scope of
// their context, and their attributes as extra. If an attribute is an error, the event is that error (the last one, if
// there are several), preceded by the record's message.
//
//	slog.SetDefault(slog.New(obs.NewSlogHandler(slog.NewTextHandler(os.Stderr, nil))))
func NewSlogHandler(next slog.Handler) slog.Handler {
	return slogHandler{next, "", map[string]any{}, nil}
}

func (h slogHandler) WithGroup(name string) slog.Handler {
	return slogHandler{h.Handler.WithGroup(name), h.group + name + ".", h.extra, h.err}
}

func (h slogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.Handler, h.extra = h.Handler.WithAttrs(attrs), maps.Clone(h.extra)
	h.add(h.group, attrs...)
	return h
}

// add adds attributes. Those of a group are called GROUP.NAME.
func (h *slogHandler) add(group string, attrs ...slog.Attr) {
	for _, attr := range attrs {
		value := attr.Value.Resolve()
		err, isError := value.Any().(error)
		switch {
		case isError:
			h.err, h.extra[group+attr.Key] = err, err
		case value.Kind() != slog.KindGroup:
			h.extra[group+attr.Key] = value.Any()
		case attr.Key == "":
			h.add(group, value.Group()...)
		default:
			h.add(group+attr.Key+".", value.Group()...)
		}
	}
}

func (h slogHandler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level >= slog.LevelError {
		h.extra = maps.Clone(h.extra)
		r.Attrs(func(attr slog.Attr) bool {
			h.add(h.group, attr)
			return true
		})
		options := []Option{WithContext(ctx), WithExtra(h.extra), WithLevel(LevelError)}
		if h.err != nil {
			CaptureException(h.err, append(options, func(e *Event) { e.Message = r.Message + ": " + e.Message })...)
		} else {
			CaptureMessage(r.Message, append(options, func(e *Event) { e.Stacktrace = stacktrace(callers()) })...)
		}
	}
	return h.Handler.Handle(ctx, r)
}
