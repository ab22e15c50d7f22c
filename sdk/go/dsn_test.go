// DSNs: where events go.

package obs_test

import (
	"testing"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

func TestEventsGoBelowThePathOfTheDSN(t *testing.T) {
	for path, want := range map[string]string{
		"":                "/api/events",
		"/":               "/api/events",
		"/1":              "/api/events",
		"/1/":             "/api/events",
		"/1?x#y":          "/api/events",
		"/obs":            "/obs/api/events",
		"/obs/":           "/obs/api/events",
		"/obs/1":          "/obs/api/events",
		"/obs/12345":      "/obs/api/events",
		"/tools/obs2":     "/tools/obs2/api/events",
		"/tools/2/obs/1/": "/tools/2/obs/api/events",
	} {
		s := serve(t, accept)
		obs.Init(obs.Options{DSN: s.dsn() + path})
		obs.CaptureMessage("to " + path)
		equal(t, path, s.only(t).path, want)
	}
}
