package obs_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

func Example() {
	obs.Init(obs.Options{
		DSN:         os.Getenv("OBS_DSN"),
		Environment: "production",
	})
	defer obs.Flush(5 * time.Second)

	obs.CaptureMessage("deploy done")
	if _, err := os.Open("settings.json"); err != nil {
		obs.CaptureException(err)
	}
}

func ExampleCaptureException() {
	err := errors.New("bank did not respond")
	obs.CaptureException(err,
		obs.WithLevel(obs.LevelWarning),
		obs.WithTags(map[string]string{"bank": "acme"}),
		obs.WithExtra(map[string]any{"order": 8812}),
		obs.WithFingerprint("bank"))
}

func ExampleRecover() {
	go func() {
		defer obs.Recover()
		panic("reported to obs")
	}()
}

func ExampleHandler() {
	pay := func(w http.ResponseWriter, r *http.Request) {
		obs.FromContext(r.Context()).SetUser(obs.User{ID: "7"})
		obs.CaptureException(errors.New("bank did not respond"), obs.WithContext(r.Context()))
	}
	log.Fatal(http.ListenAndServe("localhost:8080", obs.Handler(http.HandlerFunc(pay))))
}

func ExampleNewContext() {
	job := func(ctx context.Context, id int) {
		ctx = obs.NewContext(ctx, obs.WithTags(map[string]string{"queue": "invoices"}), obs.WithExtra(map[string]any{"job": id}))
		defer obs.Recover(obs.WithContext(ctx))
		panic("reported to obs, with the tag and the job")
	}
	job(context.Background(), 12)
}

func ExampleNewSlogHandler() {
	logger := slog.New(obs.NewSlogHandler(slog.NewTextHandler(os.Stderr, nil)))
	logger.Error("import failed", "err", errors.New("no price"), "file", "prices.csv")
}

func ExampleOptions_beforeSend() {
	obs.Init(obs.Options{
		DSN: os.Getenv("OBS_DSN"),
		BeforeSend: func(e *obs.Event) *obs.Event {
			if e.Type == "*http.MaxBytesError" {
				return nil // not worth reporting
			}
			e.Message = strings.ReplaceAll(e.Message, os.Getenv("TOKEN"), "[token]")
			return e
		},
	})
}

func ExampleFlush() {
	if !obs.Flush(5 * time.Second) {
		log.Print("some events did not reach obs")
	}
}

func ExampleCapturePanic() {
	job := func() (err error) {
		defer func() {
			if value := recover(); value != nil {
				obs.CapturePanic(value)
				err = fmt.Errorf("job failed: %v", value)
			}
		}()
		panic("reported to obs")
	}
	fmt.Println(job())
	// Output: job failed: reported to obs
}
