// The Go example: a message, an error, and a panic in a goroutine.
package main

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

func main() {
	dsn := os.Getenv("OBS_DSN")
	if dsn == "" {
		dsn = "http://test123@localhost:8000"
	}
	obs.Init(obs.Options{
		DSN:         dsn,
		Environment: "production",
	})

	obs.CaptureMessage("Application started")

	if err := connect(); err != nil {
		obs.CaptureException(err)
	}

	var group sync.WaitGroup
	group.Add(1)
	go func() {
		defer group.Done()
		defer obs.Recover()
		panic("unexpected failure in goroutine")
	}()
	group.Wait()

	if !obs.Flush(5 * time.Second) {
		fmt.Fprintln(os.Stderr, "Go: some events did not reach obs")
		os.Exit(1)
	}
	fmt.Println("Go: sent a message, an error and a panic")
}

func connect() error {
	return errors.New("database connection failed: timeout after 30s")
}
