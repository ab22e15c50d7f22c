// Handler: reports the panics of HTTP handlers, and describes requests.

package obs

import (
	"maps"
	"net/http"
	"regexp"
	"strings"
)

// secret matches the names of headers and query parameters that are not sent.
var secret = regexp.MustCompile(`(?i)^(set-)?cookie$|token|secret|password|api[-_]?key|auth|session|credential`)

// Handler begins a scope for each request. Events captured with the request's context have its method, address and
// headers, without those that carry secrets, and whatever the functions in add take from it.
//
// Handler reports panics in next as unhandled. It then panics again, so that net/http or an outer middleware handles
// the panic as usual. It does not report [http.ErrAbortHandler].
//
//go:noinline
func Handler(next http.Handler, add ...func(*http.Request, *Event)) http.Handler {
	// If it were inlined, its closures would appear to belong to the program.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, sent := r.WithContext(NewContext(r.Context())), r.Clone(r.Context()) // The handler may change its own.
		FromContext(r.Context()).request = func(e *Event) {
			e.Request = newRequest(sent)
			for _, add := range add {
				if add != nil {
					add(r, e)
				}
			}
		}
		defer func() {
			if value := recover(); value != nil {
				CapturePanic(value, WithContext(r.Context()), unhandled)
				panic(value)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func newRequest(r *http.Request) *Request {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	query, headers := r.URL.Query(), map[string]string{}
	maps.DeleteFunc(query, func(name string, _ []string) bool { return secret.MatchString(name) })
	for name, values := range r.Header {
		if !secret.MatchString(name) && (name != "Referer" || !secret.MatchString(r.Header.Get(name))) {
			headers[name] = strings.Join(values, ", ")
		}
	}
	return &Request{r.Method, scheme + "://" + r.Host + r.URL.EscapedPath(), query.Encode(), headers}
}
