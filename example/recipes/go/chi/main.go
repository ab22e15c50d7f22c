// chi: as net/http, with the route's pattern as a tag. chi's Recoverer stays outside, since it ends a panic.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

func main() {
	obs.Init(obs.Options{DSN: os.Getenv("OBS_DSN"), Environment: "production"})
	defer obs.Flush(5 * time.Second)

	router := chi.NewRouter()
	router.Use(middleware.Recoverer, report, signedIn)
	router.Get("/pay", pay)
	router.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("out of stock") })

	serve(&http.Server{Addr: os.Getenv("ADDR"), Handler: router})
}

func report(next http.Handler) http.Handler {
	return obs.Handler(next, func(r *http.Request, e *obs.Event) {
		e.Tags["route"] = chi.RouteContext(r.Context()).RoutePattern()
	})
}

// signedIn stands for the program's own authentication.
func signedIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		obs.FromContext(r.Context()).SetUser(obs.User{ID: r.Header.Get("X-User")})
		next.ServeHTTP(w, r)
	})
}

func pay(w http.ResponseWriter, r *http.Request) {
	obs.FromContext(r.Context()).AddBreadcrumb(obs.Breadcrumb{Category: "payment", Message: "asking the bank"})
	if err := charge(); err != nil {
		obs.CaptureException(err, obs.WithContext(r.Context()))
		http.Error(w, "payment failed", http.StatusInternalServerError)
	}
}

func charge() error { return errors.New("bank did not respond") }

// serve returns once the process is asked to end and the last request is done.
func serve(server *http.Server) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		timeout, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(timeout)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		obs.CaptureException(err)
		log.Print(err)
		return
	}
	<-ctx.Done()
}
