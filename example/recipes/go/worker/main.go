// A worker: each job has a scope. A job that fails or panics is reported, and the worker goes on.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

type job struct {
	ID   int
	User string
}

func main() {
	obs.Init(obs.Options{DSN: os.Getenv("OBS_DSN"), Environment: "production"})
	defer obs.Flush(5 * time.Second)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	for job := range jobs(ctx) {
		run(ctx, job)
	}
}

// run runs a job. Recover stops a panic here, so that the other jobs are not affected.
func run(ctx context.Context, job job) {
	ctx = obs.NewContext(ctx,
		obs.WithUser(obs.User{ID: job.User}),
		obs.WithTags(map[string]string{"queue": "invoices"}),
		obs.WithExtra(map[string]any{"job": job}))
	defer obs.Recover(obs.WithContext(ctx))
	if err := send(ctx, job); err != nil {
		obs.CaptureException(err, obs.WithContext(ctx))
	}
}

func send(ctx context.Context, job job) error {
	obs.FromContext(ctx).AddBreadcrumb(obs.Breadcrumb{Category: "invoice", Message: "rendering"})
	if job.ID == 2 {
		var totals map[string]int
		totals["net"] = 1
	}
	if job.ID%2 == 1 {
		return fmt.Errorf("invoice %d: %w", job.ID, errors.New("mail server refused"))
	}
	return nil
}

// jobs stands for a queue.
func jobs(ctx context.Context) <-chan job {
	queue := make(chan job)
	go func() {
		defer close(queue)
		for id := 1; id <= 4; id++ {
			select {
			case queue <- job{ID: id, User: "7"}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return queue
}
