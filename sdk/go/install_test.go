// Installing: what the README says first works in an empty folder, without a network.

package obs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// block returns the README's first block in a language.
func block(t *testing.T, language string) string {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```"+language+"\n")
	code, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatalf("the README has no block in %s", language)
	}
	return code
}

func TestWhatTheReadmeSaysFirstWorksInAnEmptyFolder(t *testing.T) {
	s := serve(t, accept)
	clone, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(block(t, "go")), 0o600); err != nil {
		t.Fatal(err)
	}
	script := "set -e\ngo mod init example.com/shop\n" + strings.ReplaceAll(block(t, "sh"), "PATH/TO/obs", clone) + "go vet .\ngo run .\n"
	command := exec.Command("sh", "-c", script)
	command.Dir = folder
	command.Env = append(os.Environ(), "OBS_DSN="+s.dsn(), "GOPROXY=off", "GOFLAGS=")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	events := s.events()
	if len(events) != 2 {
		t.Fatalf("got %d events, want two", len(events))
	}
	equal(t, "type", events[0].Type, "*fs.PathError")
	equal(t, "own frame", events[0].Stacktrace[0].InApp && strings.Contains(events[0].Stacktrace[0].ContextLine, "obs.CaptureException(err)"), true)
	equal(t, "message", events[1].Message, "import done")
	equal(t, "environment", events[1].Environment, "production")
}

func TestModuleHasALicenceAndNoDependency(t *testing.T) {
	licence, err := os.ReadFile("LICENSE")
	root, _ := os.ReadFile("../../LICENSE")
	equal(t, "licence", err == nil && string(licence) == string(root), true)
	module, _ := os.ReadFile("go.mod")
	equal(t, "go.mod", string(module), "module github.com/alexisbouchez/observability-prototype/sdk/go\n\ngo 1.21\n")
}
