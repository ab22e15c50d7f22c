// The Go SDK's driver for sdk-compat, with one function per scenario of ../../README.md.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

var (
	stdin   = bufio.NewReader(os.Stdin)
	options obs.Options
)

func setUp() { obs.Init(options) }

func flush(timeout time.Duration) { fmt.Printf("flush %t\n", obs.Flush(timeout)) }

func wait() {
	fmt.Println("waiting")
	_, _ = stdin.ReadString('\n')
}

// message returns a scenario that captures one message and flushes.
func message(text string, options ...obs.Option) func() {
	return func() {
		setUp()
		obs.CaptureMessage(text, options...)
		flush(10 * time.Second)
	}
}

func extra(key string, value any) obs.Option {
	return obs.WithExtra(map[string]any{key: value})
}

// tags and extras return what one layer of the scenario context sets.
func tags(layer string) map[string]string { return map[string]string{"from": layer, layer: "yes"} }
func extras(layer string) map[string]any  { return map[string]any{"from": layer, layer: true} }

// serve handles a request, as a program's server would.
func serve(handle func(context.Context)) {
	handler := func(_ http.ResponseWriter, r *http.Request) { handle(r.Context()) }
	request := httptest.NewRequest("POST", "/pay?coupon=1", nil)
	request.Header.Set("User-Agent", "compat/1")
	obs.Handler(http.HandlerFunc(handler)).ServeHTTP(httptest.NewRecorder(), request)
}

func numbered(text string, from, to int) {
	for i := from; i < to; i++ {
		obs.CaptureMessage(fmt.Sprint(text, " ", i))
	}
}

// middle is an error whose text does not include its cause's, unlike that of fmt.Errorf.
type middle struct{ cause error }

func (middle) Error() string   { return "middle" }
func (e middle) Unwrap() error { return e.cause }

// captured captures the error that it returns.
func captured() error {
	err := errors.New("compat unhandled")
	obs.CaptureException(err)
	return err
}

var scenarios = map[string]func(){
	"unicode":      message("naïve 日本語 🦀 a\x00b", extra("key 🦀", "日本語")),
	"invalid-text": message("broken:\xff\xfe:end", extra("bad", "\xff\xfe")),
	"large-extra":  message("large extra", extra("blob", strings.Repeat("x", 900_000))),
	"too-large":    message("too large", extra("ok", "fine"), extra("blob", strings.Repeat("x", 3_000_000))),
	"html":         message(`<script>alert("compat")</script>`),
	"wrong-key":    message("wrong key"),
	"rate-limited": message("try again"),
	"unavailable":  message("try again"),
	"bad-dsn":      message("nowhere"),
	"messages": func() {
		setUp()
		for _, level := range []obs.Level{obs.LevelInfo, obs.LevelWarning, obs.LevelError} {
			obs.CaptureMessage("compat "+string(level), obs.WithLevel(level))
		}
		flush(10 * time.Second)
	},
	"exception": func() {
		setUp()
		err := errors.New("compat exception")
		obs.CaptureException(err) // compat:here
		flush(10 * time.Second)
	},
	"causes": func() {
		setUp()
		obs.CaptureException(fmt.Errorf("outer: %w", middle{errors.New("root")}))
		flush(10 * time.Second)
	},
	"not-an-error": func() {
		setUp()
		func() {
			defer func() { obs.CapturePanic(recover()) }()
			panic("just a string")
		}()
		flush(10 * time.Second)
	},
	"bad-extra": func() {
		extra := map[string]any{"ok": "fine", "odd": func() {}}
		extra["self"] = extra
		message("bad extra", obs.WithExtra(extra))()
	},
	"options": func() {
		options.Environment, options.Release, options.ServerName = "staging", "1.2.3", "host-7"
		options.Extra = map[string]any{"app": "compat", "kept": true}
		message("options", obs.WithLevel(obs.LevelWarning), extra("app", "call"), extra("n", 1))()
	},
	"fingerprint": func() {
		setUp()
		for _, text := range []string{"first text", "second text"} {
			obs.CaptureMessage(text, obs.WithFingerprint("compat-group"))
		}
		flush(10 * time.Second)
	},
	"before-send": func() {
		options.BeforeSend = func(e *obs.Event) *obs.Event {
			if e.Message == "drop me" {
				return nil
			}
			e.Message = strings.ReplaceAll(e.Message, "secret", "removed")
			return e
		}
		setUp()
		obs.CaptureMessage("drop me")
		obs.CaptureMessage("the secret word")
		flush(10 * time.Second)
	},
	"burst": func() {
		setUp()
		numbered("burst", 0, 1000)
		flush(30 * time.Second)
	},
	"repeat": func() {
		setUp()
		for i := 0; i < 10_000; i++ {
			obs.CaptureException(errors.New("compat repeat"))
		}
		flush(10 * time.Second)
	},
	"two-flushes": func() {
		setUp()
		for _, text := range []string{"first", "second"} {
			obs.CaptureMessage(text)
			flush(10 * time.Second)
		}
	},
	"down-then-up": func() {
		setUp()
		numbered("early", 0, 10)
		wait()
		flush(20 * time.Second)
	},
	"restart": func() {
		setUp()
		numbered("restart", 0, 500)
		wait()
		numbered("restart", 500, 1000)
		wait()
		flush(30 * time.Second)
	},
	"late": func() {
		setUp()
		obs.CaptureMessage("late")
		flush(10 * time.Second)
		wait()
		obs.CaptureMessage("late")
		wait()
		flush(20 * time.Second)
	},
	"silent-server": func() {
		setUp()
		obs.CaptureMessage("no answer")
		flush(2 * time.Second)
	},
	"unhandled": func() {
		options.Repanic = true
		setUp()
		defer obs.Recover()
		panic(errors.New("compat unhandled"))
	},
	"rethrown": func() {
		options.Repanic = true
		setUp()
		defer obs.Recover()
		err := captured()
		obs.CaptureException(err)
		panic(err)
	},
	"context": func() {
		setUp()
		obs.SetUser(obs.User{ID: "1"})
		obs.SetTags(tags("process"))
		obs.SetExtra("from", "process")
		obs.SetExtra("process", true)
		serve(func(ctx context.Context) {
			scope := obs.FromContext(ctx)
			scope.SetUser(obs.User{ID: "2"})
			scope.SetTags(tags("request"))
			scope.SetExtra("from", "request")
			scope.SetExtra("request", true)
			own := []obs.Option{obs.WithUser(obs.User{ID: "3"}), obs.WithTags(tags("capture")), obs.WithExtra(extras("capture"))}
			obs.CaptureMessage("capture", append([]obs.Option{obs.WithContext(ctx)}, own...)...)
			obs.CaptureMessage("request", obs.WithContext(ctx))
		})
		serve(func(ctx context.Context) { obs.CaptureMessage("next request", obs.WithContext(ctx)) })
		obs.CaptureMessage("process")
		flush(10 * time.Second)
	},
	"breadcrumbs": func() {
		setUp()
		for i := 0; i < 60; i++ {
			obs.AddBreadcrumb(obs.Breadcrumb{Message: fmt.Sprint("crumb ", i)})
		}
		obs.CaptureMessage("breadcrumbs")
		flush(10 * time.Second)
	},
	"carried": func() {
		setUp()
		obs.SetUser(obs.User{ID: "7", Email: "ann@example.com"})
		obs.SetTag("plan", "pro")
		obs.AddBreadcrumb(obs.Breadcrumb{Category: "cart", Message: "added", Data: map[string]any{"sku": "A-1"}})
		obs.CaptureException(errors.New("compat carried"), func(e *obs.Event) { e.Contexts["order"] = map[string]any{"id": 12} })
		flush(10 * time.Second)
	},
	"request": func() {
		setUp()
		serve(func(ctx context.Context) {
			obs.CaptureException(errors.New("compat request"), obs.WithContext(ctx))
		})
		flush(10 * time.Second)
	},
	"unhandled-plain": func() { panic(errors.New("compat unhandled")) },
}

func main() {
	scenario, known := scenarios[os.Args[1]]
	if !known {
		os.Exit(64)
	}
	options.DSN = os.Args[2]
	scenario()
}
