// Runs every recipe against a real server (OBS_BIN) and reads back what arrived. `make recipes-go` calls it.
package recipes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// An event is what the server's API says of it.
type event struct {
	ID, Message string
	Unhandled   bool
	User        struct{ ID string }
	Tags        map[string]string
	Request     struct{ Method, URL string }
	Breadcrumbs []struct{ Message string }
	Stacktrace  []struct {
		Filename string
		InApp    bool `json:"in_app"`
	}
}

func TestRecipes(t *testing.T) {
	for name, want := range map[string][]string{
		"nethttp": {"bank did not respond /pay GET http://SERVER/pay asking the bank", "unhandled out of stock /panic GET http://SERVER/panic"},
		"chi":     {"bank did not respond /pay GET http://SERVER/pay asking the bank", "unhandled out of stock /panic GET http://SERVER/panic"},
		"gin":     {"bank did not respond /pay GET http://SERVER/pay asking the bank", "out of stock /panic GET http://SERVER/panic"},
		"worker": {"invoice 1: mail server refused invoices rendering", "unhandled assignment to entry in nil map invoices rendering",
			"invoice 3: mail server refused invoices rendering"},
		"slog": {"import failed: line 12: no price import"},
	} {
		t.Run(name, func(t *testing.T) {
			obs, dsn := startObs(t)
			server := freeAddress(t)
			run(t, name, dsn, server)
			events := read(t, obs)
			if len(events) != len(want) {
				t.Fatalf("%d events, want %d", len(events), len(want))
			}
			for _, e := range events {
				if got := strings.ReplaceAll(describe(e), server, "SERVER"); !contains(want, got) {
					t.Errorf("got %q, want one of %q", got, want)
				}
				if e.User.ID != "7" {
					t.Errorf("%s: user %q", e.Message, e.User.ID)
				}
				if top := e.Stacktrace[0]; !top.InApp || filepath.Base(top.Filename) != "main.go" {
					t.Errorf("%s: top frame %+v", e.Message, top)
				}
			}
			t.Logf("%s: %d events, each with its user, tags and stack trace", name, len(events))
		})
	}
}

// describe returns everything that tells an event from others: message, tags, request and breadcrumbs.
func describe(e event) string {
	words := []string{e.Message}
	if e.Unhandled {
		words = []string{"unhandled", e.Message}
	}
	for _, value := range e.Tags {
		words = append(words, value)
	}
	if e.Request.URL != "" {
		words = append(words, e.Request.Method, e.Request.URL)
	}
	for _, crumb := range e.Breadcrumbs {
		words = append(words, crumb.Message)
	}
	return strings.Join(words, " ")
}

func contains(list []string, text string) bool {
	for _, item := range list {
		if item == text {
			return true
		}
	}
	return false
}

// run builds and runs a recipe. One that serves HTTP gets two requests and is then asked to end.
func run(t *testing.T, name, dsn, address string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", binary, "./"+name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var out bytes.Buffer
	command := exec.Command(binary)
	command.Env = append(os.Environ(), "OBS_DSN="+dsn, "ADDR="+address)
	command.Stdout, command.Stderr = &out, &out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(20*time.Second, func() { _ = command.Process.Kill() })
	defer overdue.Stop()
	source, _ := os.ReadFile(name + "/main.go")
	if bytes.Contains(source, []byte("ListenAndServe")) {
		for _, path := range []string{"/pay", "/panic"} {
			request, _ := http.NewRequest(http.MethodGet, "http://"+address+path, nil)
			request.Header.Set("X-User", "7")
			eventually(t, path, func() bool {
				connection, err := net.Dial("tcp", address)
				if err == nil {
					connection.Close()
				}
				return err == nil
			})
			if response, err := http.DefaultClient.Do(request); err == nil {
				response.Body.Close()
			}
		}
		_ = command.Process.Signal(syscall.SIGTERM)
	}
	if err := command.Wait(); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
}

// startObs starts a server with an empty database, and returns its address and DSN.
func startObs(t *testing.T) (url, dsn string) {
	t.Helper()
	address := freeAddress(t)
	var out bytes.Buffer
	command := exec.Command(os.Getenv("OBS_BIN"), "--listen", address, "--db", filepath.Join(t.TempDir(), "obs.sqlite"))
	command.Env = append(os.Environ(), "OBS_API_KEY=test123")
	command.Stderr = &out
	if err := command.Start(); err != nil {
		t.Fatalf("OBS_BIN must name the obs binary: %v", err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		if t.Failed() {
			t.Logf("obs said: %s", out.String())
		}
	})
	eventually(t, "obs", func() bool {
		response, err := http.Get("http://" + address + "/health")
		if err == nil {
			response.Body.Close()
		}
		return err == nil
	})
	return "http://" + address, "http://test123@" + address
}

// read returns every stored event.
func read(t *testing.T, obs string) (events []event) {
	t.Helper()
	var list struct{ Issues []struct{ ID int } }
	get(t, obs+"/api/issues", &list)
	for _, issue := range list.Issues {
		var detail struct{ Events []struct{ ID string } }
		get(t, fmt.Sprint(obs, "/api/issues/", issue.ID), &detail)
		for _, summary := range detail.Events {
			var e event
			get(t, obs+"/api/events/"+summary.ID, &e)
			events = append(events, e)
		}
	}
	return events
}

func get(t *testing.T, url string, into any) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, _ := io.ReadAll(response.Body)
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatalf("%s: %v in %s", url, err, content)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting for %s", what)
		}
	}
}
