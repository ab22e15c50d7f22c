// log/slog: what is logged as an error is reported, with the scope of the context.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

func main() {
	obs.Init(obs.Options{DSN: os.Getenv("OBS_DSN"), Environment: "production"})
	defer obs.Flush(5 * time.Second)
	slog.SetDefault(slog.New(obs.NewSlogHandler(slog.NewTextHandler(os.Stderr, nil))))

	ctx := obs.NewContext(context.Background(),
		obs.WithUser(obs.User{ID: "7"}), obs.WithTags(map[string]string{"command": "import"}))
	slog.InfoContext(ctx, "started") // only logged
	slog.ErrorContext(ctx, "import failed", "err", errors.New("line 12: no price"), "file", "prices.csv")
}
