// Sentry's Go SDK as a driver for sdk-compat, with one function per scenario of ../../README.md.
package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/getsentry/sentry-go"
	sentryhttp "github.com/getsentry/sentry-go/http"
)

var options sentry.ClientOptions

func setUp() {
	if err := sentry.Init(options); err != nil {
		panic(err)
	}
}

func flush(timeout time.Duration) { fmt.Printf("flush %t\n", sentry.Flush(timeout)) }

// capture captures a message, with a scope that `edit` changes first.
func capture(text string, edit ...func(*sentry.Scope)) {
	sentry.WithScope(func(scope *sentry.Scope) {
		for _, edit := range edit {
			edit(scope)
		}
		sentry.CaptureMessage(text)
	})
}

// message returns a scenario that captures one message and flushes.
func message(text string, edit ...func(*sentry.Scope)) func() {
	return func() {
		setUp()
		capture(text, edit...)
		flush(10 * time.Second)
	}
}

// extra sets a context named extra, since this SDK has nothing else for values of any kind.
func extra(values sentry.Context) func(*sentry.Scope) {
	return func(scope *sentry.Scope) { scope.SetContext("extra", values) }
}

// tags returns those that a layer of the scenario context sets.
func tags(layer string) map[string]string { return map[string]string{"from": layer, layer: "yes"} }

// extras returns what several layers set. A context replaces one of the same name, so the application merges them.
func extras(layers ...string) sentry.Context {
	merged := sentry.Context{}
	for _, layer := range layers {
		merged["from"], merged[layer] = layer, true
	}
	return merged
}

// serve handles a request, as a program's server would.
func serve(handle func(*sentry.Hub)) {
	handler := func(_ http.ResponseWriter, r *http.Request) { handle(sentry.GetHubFromContext(r.Context())) }
	request := httptest.NewRequest("POST", "http://shop.example.com/pay?coupon=1", nil)
	request.Header.Set("User-Agent", "compat/1")
	sentryhttp.New(sentryhttp.Options{}).HandleFunc(handler).ServeHTTP(httptest.NewRecorder(), request)
}

func level(level sentry.Level) func(*sentry.Scope) {
	return func(scope *sentry.Scope) { scope.SetLevel(level) }
}

// middle is an error whose text does not include its cause's, unlike that of fmt.Errorf.
type middle struct{ cause error }

func (middle) Error() string   { return "middle" }
func (e middle) Unwrap() error { return e.cause }

var scenarios = map[string]func(){
	"unicode":      message("naïve 日本語 🦀 a\x00b", extra(sentry.Context{"key 🦀": "日本語"})),
	"invalid-text": message("broken:\xff\xfe:end", extra(sentry.Context{"bad": "\xff\xfe"})),
	"large-extra":  message("large extra", extra(sentry.Context{"blob": strings.Repeat("x", 900_000)})),
	"html":         message(`<script>alert("compat")</script>`),
	"wrong-key":    message("wrong key"),
	"messages": func() {
		setUp()
		for _, name := range []sentry.Level{sentry.LevelInfo, sentry.LevelWarning, sentry.LevelError} {
			capture("compat "+string(name), level(name))
		}
		flush(10 * time.Second)
	},
	"exception": func() {
		setUp()
		err := errors.New("compat exception")
		sentry.CaptureException(err) // compat:here
		flush(10 * time.Second)
	},
	"causes": func() {
		setUp()
		sentry.CaptureException(fmt.Errorf("outer: %w", middle{errors.New("root")}))
		flush(10 * time.Second)
	},
	"not-an-error": func() {
		setUp()
		func() {
			defer sentry.Recover()
			panic("just a string")
		}()
		flush(10 * time.Second)
	},
	"options": func() {
		options.Environment, options.Release, options.ServerName = "staging", "1.2.3", "host-7"
		setUp()
		// A context replaces one of the same name, so the application merges them.
		merged := sentry.Context{"app": "call", "kept": true, "n": 1}
		capture("options", level(sentry.LevelWarning), extra(merged))
		flush(10 * time.Second)
	},
	"fingerprint": func() {
		setUp()
		for _, text := range []string{"first text", "second text"} {
			capture(text, func(scope *sentry.Scope) { scope.SetFingerprint([]string{"compat-group"}) })
		}
		flush(10 * time.Second)
	},
	"before-send": func() {
		options.BeforeSend = func(event *sentry.Event, _ *sentry.EventHint) *sentry.Event {
			if event.Message == "drop me" {
				return nil
			}
			event.Message = strings.ReplaceAll(event.Message, "secret", "removed")
			return event
		}
		setUp()
		capture("drop me")
		capture("the secret word")
		flush(10 * time.Second)
	},
	"burst": func() {
		setUp()
		for i := 0; i < 100; i++ {
			capture(fmt.Sprint("burst ", i))
		}
		flush(30 * time.Second)
	},
	"two-flushes": func() {
		setUp()
		for _, text := range []string{"first", "second"} {
			capture(text)
			flush(10 * time.Second)
		}
	},
	"silent-server": func() {
		setUp()
		capture("no answer")
		flush(2 * time.Second)
	},
	"unhandled": func() {
		setUp()
		defer func() { // Sentry's own Recover swallows the panic.
			err := recover()
			sentry.CurrentHub().Recover(err)
			sentry.Flush(10 * time.Second)
			panic(err)
		}()
		panic(errors.New("compat unhandled"))
	},
	"unhandled-plain": func() { panic(errors.New("compat unhandled")) },
	"context": func() {
		setUp()
		set := func(scope *sentry.Scope, user, layer string, extra sentry.Context) {
			scope.SetUser(sentry.User{ID: user})
			scope.SetTags(tags(layer))
			scope.SetContext("extra", extra)
		}
		sentry.ConfigureScope(func(scope *sentry.Scope) { set(scope, "1", "process", extras("process")) })
		serve(func(hub *sentry.Hub) {
			set(hub.Scope(), "2", "request", extras("process", "request"))
			hub.WithScope(func(scope *sentry.Scope) {
				set(scope, "3", "capture", extras("process", "request", "capture"))
				hub.CaptureMessage("capture")
			})
			hub.CaptureMessage("request")
		})
		serve(func(hub *sentry.Hub) { hub.CaptureMessage("next request") })
		sentry.CaptureMessage("process")
		flush(10 * time.Second)
	},
	"breadcrumbs": func() {
		options.MaxBreadcrumbs = 50
		setUp()
		for i := 0; i < 60; i++ {
			sentry.AddBreadcrumb(&sentry.Breadcrumb{Message: fmt.Sprint("crumb ", i)})
		}
		sentry.CaptureMessage("breadcrumbs")
		flush(10 * time.Second)
	},
	"carried": func() {
		setUp()
		sentry.ConfigureScope(func(scope *sentry.Scope) {
			scope.SetUser(sentry.User{ID: "7", Email: "ann@example.com"})
			scope.SetTag("plan", "pro")
			scope.SetContext("order", sentry.Context{"id": 12})
		})
		sentry.AddBreadcrumb(&sentry.Breadcrumb{Category: "cart", Message: "added", Data: map[string]any{"sku": "A-1"}})
		sentry.CaptureException(errors.New("compat carried"))
		flush(10 * time.Second)
	},
	"request": func() {
		setUp()
		serve(func(hub *sentry.Hub) { hub.CaptureException(errors.New("compat request")) })
		flush(10 * time.Second)
	},
}

func main() {
	scenario, known := scenarios[os.Args[1]]
	if !known {
		os.Exit(64)
	}
	options.Dsn = os.Args[2]
	scenario()
}
