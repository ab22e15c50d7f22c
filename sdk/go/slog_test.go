// The slog.Handler.

package obs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

// A secret hides itself in logs.
type secret string

func (secret) LogValue() slog.Value { return slog.StringValue("hidden") }

func TestLoggedErrorIsCapturedWithItsScopeAndAttributes(t *testing.T) {
	s := start(t, obs.Options{})
	var out bytes.Buffer
	logger := slog.New(obs.NewSlogHandler(slog.NewTextHandler(&out, nil)))
	ctx := obs.NewContext(context.Background(), obs.WithUser(obs.User{ID: "7"}))
	logger.With("app", "shop").WithGroup("order").With("id", 12).ErrorContext(ctx, "payment failed", // here
		"err", errors.New("card declined"), slog.Group("card", "kind", "debit", "number", secret("4111")), slog.Group("", "inline", true))
	e := s.only(t)
	equal(t, "type and message", e.Type+" "+e.Message, "*errors.errorString payment failed: card declined")
	equal(t, "level", e.Level, obs.LevelError)
	equal(t, "user", e.User.ID, "7")
	equal(t, "extra", fmt.Sprint(e.Extra), "map[app:shop order.card.kind:debit order.card.number:hidden order.err:card declined order.id:12 order.inline:true]")
	equal(t, "line", strings.HasSuffix(e.Stacktrace[0].ContextLine, "// here"), true)
	for _, part := range []string{"level=ERROR", `msg="payment failed"`, "app=shop", "order.id=12", "order.card.kind=debit"} {
		equal(t, part+" in the log", strings.Contains(out.String(), part), true)
	}
}

func TestEveryErrorOfARecordIsExtra(t *testing.T) {
	s := start(t, obs.Options{})
	logger := slog.New(obs.NewSlogHandler(slog.NewTextHandler(io.Discard, nil)))
	logger.With("a", errors.New("first")).WithGroup("g").Error("failed", "b", errors.New("second"), "c", errors.New("third"))
	e := s.only(t)
	equal(t, "message", e.Message, "failed: third")
	equal(t, "extra", fmt.Sprint(e.Extra), "map[a:first g.b:second g.c:third]")
}

func TestLoggedMessageIsCapturedWithTheLineThatLoggedIt(t *testing.T) {
	s := start(t, obs.Options{})
	logger := slog.New(obs.NewSlogHandler(slog.NewTextHandler(io.Discard, nil)))
	logger.Error("queue is full", "size", 100) // here
	e := s.only(t)
	equal(t, "type and message", e.Type+e.Message, "queue is full")
	equal(t, "extra", fmt.Sprint(e.Extra), "map[size:100]")
	equal(t, "line", strings.HasSuffix(e.Stacktrace[0].ContextLine, "// here"), true)
}

func TestOnlyErrorsAreCapturedAndEverythingIsLogged(t *testing.T) {
	s := start(t, obs.Options{})
	var out bytes.Buffer
	logger := slog.New(obs.NewSlogHandler(slog.NewTextHandler(&out, nil)))
	logger.Debug("debug")
	logger.Info("info")
	logger.Warn("warning", "err", errors.New("harmless"))
	logger.Log(context.Background(), slog.LevelError+4, "worse")
	equal(t, "message", s.only(t).Message, "worse")
	equal(t, "lines", strings.Count(out.String(), "\n"), 3)
}

func TestAttributesOfOneLoggerAreNotOnAnother(t *testing.T) {
	s := start(t, obs.Options{})
	logger := slog.New(obs.NewSlogHandler(slog.NewTextHandler(io.Discard, nil)))
	one, two := logger.With("one", 1, "err", errors.New("of one")), logger.With("two", 2)
	one.Error("first", "n", 1)
	two.Error("second", "n", 2)
	logger.Error("third")
	var got []string
	for _, e := range s.flushed(t) {
		got = append(got, fmt.Sprint(e.Message, e.Extra))
	}
	equal(t, "events", strings.Join(got, "; "), "first: of onemap[err:of one n:1 one:1]; secondmap[n:2 two:2]; thirdmap[]")
}

func TestLoggingInBeforeSendCapturesNothing(t *testing.T) {
	logger := slog.New(obs.NewSlogHandler(slog.NewTextHandler(io.Discard, nil)))
	s := start(t, obs.Options{BeforeSend: func(e *obs.Event) *obs.Event {
		logger.Error("from the hook", "err", errors.New("from the hook"))
		return e
	}})
	logger.Error("outside", "took", time.Second)
	equal(t, "message", s.only(t).Message, "outside")
}
