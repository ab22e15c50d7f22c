// Whole programs: standard error and exit status.

package obs_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

// programs are run by starting the test binary again with OBS_TEST_PROGRAM set.
var programs = map[string]func(dsn string){
	"no init": func(string) {
		fmt.Println("id", obs.CaptureMessage("payload"), obs.CaptureException(errors.New("payload")))
		fmt.Println(obs.Flush(time.Second), obs.Flush(time.Second))
	},
	"flush only": func(string) { fmt.Println(obs.Flush(time.Second)) },
	"two messages": func(dsn string) {
		obs.Init(obs.Options{DSN: dsn})
		obs.CaptureMessage("payload")
		obs.CaptureMessage("payload")
		fmt.Println(obs.Flush(10 * time.Second))
	},
	"full queue": func(string) {
		release := make(chan struct{})
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { <-release; w.WriteHeader(201) }))
		obs.Init(obs.Options{DSN: strings.Replace(s.URL, "://", "://hush@", 1)})
		for i := 0; i < 20; i++ {
			obs.CaptureMessage(fmt.Sprint("payload ", i), obs.WithExtra(map[string]any{"blob": strings.Repeat("x", 900_000)}))
		}
		close(release)
		fmt.Println(obs.Flush(30 * time.Second))
	},
	"panicking hook": func(dsn string) {
		obs.Init(obs.Options{DSN: dsn, BeforeSend: func(e *obs.Event) *obs.Event { panic(e.Message) }})
		fmt.Println("id", obs.CaptureMessage("payload"), obs.CaptureMessage("payload"))
		fmt.Println(obs.Flush(10 * time.Second))
	},
	"misuse": func(dsn string) {
		obs.Init(obs.Options{DSN: dsn})
		for i := 0; i < 2; i++ {
			obs.CaptureMessage("payload", nil, obs.WithLevel("fatal"), obs.WithExtra(nil), obs.WithFingerprint())
			nine := obs.WithFingerprint("1", "2", "3", "4", "5", "6", "7", "8", "9")
			obs.CaptureException(errors.New("payload"), obs.WithLevel("verbose"), nil, nine)
			obs.FromContext(obs.NewContext(context.Background(), nil)).SetTag("plan", "pro")
			fmt.Println(obs.Flush(10 * time.Second))
		}
		request := httptest.NewRequest("GET", "/", nil)
		captures := func(_ http.ResponseWriter, r *http.Request) {
			obs.CaptureMessage("request", obs.WithContext(r.Context()))
		}
		obs.Handler(http.HandlerFunc(captures), nil).ServeHTTP(httptest.NewRecorder(), request)
		fmt.Println(obs.Flush(10 * time.Second))
	},
	"full standard error": func(dsn string) {
		time.AfterFunc(20*time.Second, func() { os.Exit(3) })
		_, stderr, _ := os.Pipe()
		_ = stderr.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		_, _ = stderr.Write(make([]byte, 1<<20)) // fills the pipe
		_ = stderr.SetWriteDeadline(time.Time{})
		os.Stderr = stderr
		obs.Init(obs.Options{DSN: dsn, BeforeSend: func(e *obs.Event) *obs.Event { return map[string]*obs.Event{"kept": e}[e.Message[:4]] }})
		fmt.Println(len(obs.CaptureMessage("bad")), len(obs.CaptureMessage("kept")), obs.Flush(time.Second))
	},
	"panic": func(dsn string) {
		obs.Init(obs.Options{DSN: dsn, Repanic: true})
		defer obs.Recover()
		panic("not recovered")
	},
	"plain panic": func(string) { panic("not recovered") },
	"recovered panic": func(dsn string) {
		obs.Init(obs.Options{DSN: dsn})
		defer obs.Recover()
		panic("recovered by obs")
	},
}

func TestMain(m *testing.M) {
	if program, ok := programs[os.Getenv("OBS_TEST_PROGRAM")]; ok {
		program(os.Getenv("OBS_TEST_DSN"))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func run(t *testing.T, program, dsn string) (stdout, stderr string, status int) {
	t.Helper()
	var out, log strings.Builder
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "OBS_TEST_PROGRAM="+program, "OBS_TEST_DSN="+dsn, "GORACE=atexit_sleep_ms=0")
	command.Stdout, command.Stderr = &out, &log
	if err := command.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	return out.String(), log.String(), command.ProcessState.ExitCode()
}

func TestCapturesBeforeInitPrintOneLine(t *testing.T) {
	stdout, stderr, status := run(t, "no init", "")
	equal(t, "output", stdout, "id  \nfalse true\n")
	equal(t, "standard error", stderr, "obs: no events will be sent: Init was not called with a valid DSN\n")
	equal(t, "status", status, 0)
	stdout, stderr, _ = run(t, "flush only", "")
	equal(t, "output", stdout+stderr, "true\n")
}

func TestInvalidDSNPrintsOneLineWithoutTheKey(t *testing.T) {
	for _, dsn := range []string{
		"", "nonsense", "http://127.0.0.1:1", "ftp://hush@127.0.0.1", "http://hush@", "http://hu%20sh@host",
		"http://hush:hush@host", "http://hush@ho st", "http://" + strings.Repeat("k", 201) + "@host", "http://hush\n@host", "://hush@host",
	} {
		stdout, stderr, status := run(t, "two messages", dsn)
		equal(t, "output", stdout, "false\n")
		equal(t, "status", status, 0)
		if strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "obs: no events will be sent: the DSN") || strings.Contains(stderr, "hush") {
			t.Errorf("standard error for %q is %q", dsn, stderr)
		}
	}
}

func TestRejectionPrintsOneLineWithoutKeyOrPayload(t *testing.T) {
	s := serve(t, scripted(401, 401))
	stdout, stderr, _ := run(t, "two messages", s.dsn())
	equal(t, "output", stdout, "false\n")
	equal(t, "standard error", stderr, "obs: an event was rejected and dropped: 401 Unauthorized\n")
}

func TestFullQueuePrintsOneLine(t *testing.T) {
	stdout, stderr, _ := run(t, "full queue", "")
	equal(t, "output", stdout, "false\n")
	equal(t, "standard error", stderr, "obs: the queue is full (8388608 bytes); dropping events\n")
}

func TestPanickingHookDropsEventAndPrintsOneLine(t *testing.T) {
	s := serve(t, accept)
	stdout, stderr, status := run(t, "panicking hook", s.dsn())
	equal(t, "output", stdout, "id  \nfalse\n")
	equal(t, "standard error", stderr, "obs: BeforeSend or an option panicked (string); the event was dropped\n")
	equal(t, "status", status, 0)
	equal(t, "number of attempts", len(s.attempted()), 0)
}

func TestMisusePrintsOneLineEachAndLosesNoEvent(t *testing.T) {
	s := serve(t, accept)
	stdout, stderr, status := run(t, "misuse", s.dsn())
	equal(t, "output", stdout, "true\ntrue\ntrue\n")
	lines := strings.Split(stderr, "\n")
	slices.Sort(lines)
	equal(t, "standard error", strings.Join(lines, "\n"), "\nobs: a fingerprint has at most 8 strings; the others were dropped\n"+
		"obs: a nil Option was ignored\nobs: unknown level \"fatal\"; the levels are error, warning and info")
	equal(t, "status", status, 0)
	equal(t, "number of events", len(s.events()), 5)
	equal(t, "level", s.events()[0].Level, obs.Level("fatal"))
	equal(t, "length of the fingerprint", len(s.events()[1].Fingerprint), 8)
}

func TestCaptureDoesNotWaitForStandardError(t *testing.T) {
	s := serve(t, accept)
	stdout, _, status := run(t, "full standard error", s.dsn())
	equal(t, "output", stdout, "0 36 false\n")
	equal(t, "status", status, 0)
	equal(t, "message", s.events()[0].Message, "kept")
}

func TestRepanicKeepsExitStatusAndOutput(t *testing.T) {
	s := serve(t, accept)
	_, plain, want := run(t, "plain panic", "")
	_, stderr, status := run(t, "panic", s.dsn())
	equal(t, "status", status, want)
	first, _, _ := strings.Cut(plain, "\n")
	if !strings.HasPrefix(stderr, first) || !strings.Contains(stderr, "process_test.go") {
		t.Errorf("standard error is %s", stderr)
	}
	equal(t, "number of events", len(s.events()), 1)
	equal(t, "message", s.events()[0].Message, "not recovered")

	_, stderr, status = run(t, "recovered panic", s.dsn())
	equal(t, "status", status, 0)
	equal(t, "standard error", stderr, "")
	equal(t, "number of events", len(s.events()), 2)
}
