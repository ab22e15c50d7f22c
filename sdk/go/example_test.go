package obs_test

import (
	"errors"
	"fmt"
	"log"
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
	log.Fatal(http.ListenAndServe("localhost:8080", obs.Handler(http.DefaultServeMux)))
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
