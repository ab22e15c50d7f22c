// The middleware for net/http: reports panics of handlers, and leaves everything else as it is.

package obs

import "net/http"

// Handler reports a panic of next, with the request's method and path, and lets it go on, so that net/http or an
// outer middleware answers as ever. http.ErrAbortHandler, which is no error, is not reported.
func Handler(next http.Handler) http.Handler {
	return reporting{next}
}

// Methods and functions with a name, since a closure that is inlined takes its caller's, by which callers would not know it.
type reporting struct{ next http.Handler }

func (h reporting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer report(r.Method, r.URL.Path) // Never the query: it often holds secrets.
	h.next.ServeHTTP(w, r)
}

func report(method, path string) {
	value := recover()
	if value == nil {
		return
	}
	if value != http.ErrAbortHandler {
		extra := map[string]any{"request": map[string]any{"method": method, "path": path}}
		active().capture(value, LevelError, []Option{WithExtra(extra)})
	}
	panic(value)
}
