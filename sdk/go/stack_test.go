// Stack traces: which frames belong to the application.

package obs_test

import (
	"encoding/json"
	"os"
	"testing"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

func TestPathsOfLibrariesAreThoseThatTheServerKnows(t *testing.T) {
	content, err := os.ReadFile("../../tests/library-paths.json")
	if err != nil {
		t.Fatal(err)
	}
	var paths struct{ Library, Own []string }
	if err := json.Unmarshal(content, &paths); err != nil || len(paths.Library) == 0 || len(paths.Own) == 0 {
		t.Fatalf("%v: %s", err, content)
	}
	inApp := func(path string) bool { return obs.InApp("", "example.com/package", path) }
	for _, path := range paths.Library {
		equal(t, path, inApp(path), false)
	}
	for _, path := range paths.Own {
		equal(t, path, inApp(path), true)
	}
}

func TestFramesOfTheMainModuleAreTheApplicationsOwn(t *testing.T) {
	for _, c := range []struct {
		main, pkg, file string
		own             bool
	}{
		{"example.com/shop", "example.com/shop", "/srv/shop/shop.go", true},
		{"example.com/shop", "example.com/shop_test", "/srv/shop/shop_test.go", true},
		{"example.com/shop", "example.com/shop/db", "/srv/vendor/shop/db/pool.go", true},
		{"example.com/shop", "example.com/shopping", "/srv/shopping/list.go", false},
		{"example.com/shop", "net/http", "net/http/server.go", false},
		{"example.com/shop", "main", "/srv/shop/main.go", true},

		// The build does not name the main module.
		{"", "main", "/srv/shop/main.go", true},
		{"", "example.com/shop/db", "/home/ann/src/shop/db/pool.go", true},
		{"", "net/http", "/usr/local/go/src/net/http/server.go", false},
		{"", "vendor/golang.org/x/net/http2", "/usr/local/go/src/vendor/golang.org/x/net/http2/frame.go", false},
		{"", "github.com/go-chi/chi/v5", "/root/go/pkg/mod/github.com/go-chi/chi/v5@v5.0.1/mux.go", false},
		{"", "github.com/go-chi/chi/v5", "/cache/github.com/go-chi/chi/v5@v5.0.1/mux.go", false},
		{"", "github.com/go-chi/chi/v5", "vendor/github.com/go-chi/chi/v5/mux.go", false},
		{"", "github.com/go-chi/chi/v5", `C:\shop\vendor\github.com\go-chi\chi\v5\mux.go`, false},
		{"", "github.com/go-chi/chi/v5", "github.com/go-chi/chi/v5@v5.0.1/mux.go", false},
	} {
		equal(t, c.main+" "+c.pkg+" "+c.file, obs.InApp(c.main, c.pkg, c.file), c.own)
	}
}
