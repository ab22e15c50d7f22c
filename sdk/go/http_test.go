// Handler: requests, their scopes, and panics.

package obs_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

// get sends a request to a handler wrapped in the middleware, and returns the client's error.
func get(t *testing.T, handle http.HandlerFunc, add ...func(*http.Request, *obs.Event)) error {
	t.Helper()
	site := httptest.NewUnstartedServer(obs.Handler(handle, add...))
	site.Config.ErrorLog = log.New(io.Discard, "", 0)
	site.Start()
	defer site.Close()
	request, _ := http.NewRequest(http.MethodGet, site.URL+"/orders/7%2F8?token=hush&api_key=hush&page=2", nil)
	for _, name := range []string{
		"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "X-CSRF-Token", "X-XSRF-Token", "X-Access-Token", "Client-Secret",
		"X-Password", "X-Api-Key", "ApiKey", "X-Auth", "X-Session-ID", "X-Amz-Credential",
	} {
		request.Header.Set(name, "hush")
	}
	request.Header.Set("Accept", "text/html")
	request.Header.Add("X-Cart", "one")
	request.Header.Add("X-Cart", "two")
	response, err := http.DefaultClient.Do(request)
	if err == nil {
		response.Body.Close()
	}
	return err
}

func TestHandlerReportsPanicAndPanicsAgain(t *testing.T) {
	s := start(t, obs.Options{})
	err := get(t, func(http.ResponseWriter, *http.Request) { panic("in a handler") }) // here
	if err == nil {
		t.Error("the client got a response, but net/http closes the connection after a panic")
	}
	e := s.only(t)
	equal(t, "message", e.Message, "in a handler")
	equal(t, "method", e.Request.Method, "GET")
	if !strings.HasSuffix(e.Stacktrace[0].ContextLine, "// here") {
		t.Errorf("top frame is %+v", e.Stacktrace[0])
	}
}

func TestRequestIsSentWithoutWhatCarriesSecrets(t *testing.T) {
	s := start(t, obs.Options{})
	_ = get(t, func(_ http.ResponseWriter, r *http.Request) {
		obs.CaptureException(errors.New("failed"), obs.WithContext(r.Context()))
	})
	e := s.only(t)
	equal(t, "method", e.Request.Method, "GET")
	equal(t, "URL", strings.HasPrefix(e.Request.URL, "http://127.0.0.1:") && strings.HasSuffix(e.Request.URL, "/orders/7%2F8"), true)
	equal(t, "query", e.Request.QueryString, "page=2")
	delete(e.Request.Headers, "User-Agent")
	delete(e.Request.Headers, "Accept-Encoding")
	equal(t, "headers", fmt.Sprint(e.Request.Headers), "map[Accept:text/html X-Cart:one, two]")
	equal(t, "secrets", strings.Contains(e.raw, "hush"), false)
}

func TestRequestBehindATLSProxyHasItsScheme(t *testing.T) {
	s := start(t, obs.Options{})
	r := httptest.NewRequest("POST", "http://shop.example/pay", nil)
	r.Header.Set("X-Forwarded-Proto", "https")
	obs.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		obs.CaptureMessage("paid", obs.WithContext(r.Context()))
	})).ServeHTTP(httptest.NewRecorder(), r)
	equal(t, "URL", s.only(t).Request.URL, "https://shop.example/pay")
}

func TestHandlerTakesWhatAFunctionAddsFromTheRequest(t *testing.T) {
	s := start(t, obs.Options{})
	type key struct{}
	add := func(r *http.Request, e *obs.Event) {
		e.Tags["route"] = "/orders/{id}"
		e.User = &obs.User{ID: fmt.Sprint(r.Header.Get("Accept"))}
		e.Contexts["handler"] = map[string]any{"known": r.Context().Value(key{})}
	}
	_ = get(t, func(_ http.ResponseWriter, r *http.Request) {
		obs.CaptureMessage("captured", obs.WithContext(r.Context()), obs.WithTags(map[string]string{"route": "capture wins"}))
		panic("panicked")
	}, add)
	events := s.flushed(t)
	equal(t, "tag", events[0].Tags["route"], "capture wins")
	equal(t, "user", events[0].User.ID, "text/html")
	equal(t, "tag of the panic", events[1].Tags["route"], "/orders/{id}")
	equal(t, "context of the panic", fmt.Sprint(events[1].Contexts), "map[handler:map[known:<nil>]]")
}

func TestWhatIsSaidInAHandlerIsOnItsPanicAndOnNoOtherRequest(t *testing.T) {
	s := start(t, obs.Options{})
	var group sync.WaitGroup
	handler := obs.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		id := r.URL.Query().Get("id")
		scope := obs.FromContext(r.Context())
		if id != "0" {
			scope.SetUser(obs.User{ID: id})
			scope.SetTag("id", id)
			scope.SetExtra("id", id)
			scope.AddBreadcrumb(obs.Breadcrumb{Message: id})
		}
		panic("request " + id)
	}))
	for i := 0; i < 20; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			defer func() { _ = recover() }()
			handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", fmt.Sprint("/?id=", i), nil))
		}(i)
	}
	group.Wait()
	obs.CaptureMessage("request 0")
	events := s.flushed(t)
	equal(t, "number of events", len(events), 21)
	for _, e := range events {
		id := strings.TrimPrefix(e.Message, "request ")
		if id == "0" {
			equal(t, "what is said elsewhere", fmt.Sprint(e.User, e.Tags, e.Extra, e.Breadcrumbs), "<nil> map[] map[] []")
		} else {
			equal(t, "user, tag, extra and breadcrumb", fmt.Sprint(e.User.ID, e.Tags["id"], e.Extra["id"], e.Breadcrumbs[0].Message), id+id+id+id)
		}
	}
}

func TestPanicReportedByTwoHandlersIsOneEvent(t *testing.T) {
	s := start(t, obs.Options{})
	inner := obs.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("twice") })) // here
	_ = get(t, inner.ServeHTTP)
	e := s.only(t)
	equal(t, "line", strings.HasSuffix(e.Stacktrace[0].ContextLine, "// here"), true)
}

func TestHandlerDoesNotReportErrAbortHandler(t *testing.T) {
	s := start(t, obs.Options{})
	if get(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }) == nil {
		t.Error("the client got a response")
	}
	if err := get(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }); err != nil {
		t.Error(err)
	}
	equal(t, "number of events", len(s.flushed(t)), 0)
}
