// What a program says about its events: for the process, for a context, and for one capture.

package obs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
)

// forget removes what a test says for the process.
func forget(t *testing.T) { t.Cleanup(obs.ForgetProcess) }

func TestWhatIsSaidForTheProcessIsOnEveryLaterEvent(t *testing.T) {
	s := start(t, obs.Options{})
	forget(t)
	obs.CaptureMessage("before")
	obs.SetUser(obs.User{ID: "7", Email: "ann@example.com", Username: "ann", IPAddress: "192.0.2.1"})
	obs.SetTag("plan", "pro")
	obs.SetTags(map[string]string{"region": "eu"})
	obs.SetExtra("cart", []string{"A-1"})
	obs.CaptureException(errors.New("after"))
	events := s.flushed(t)
	equal(t, "before", fmt.Sprint(events[0].Tags, events[0].Extra), "map[] map[]")
	equal(t, "user", strings.Contains(events[1].raw, `"user":{"id":"7","email":"ann@example.com","username":"ann","ip_address":"192.0.2.1"}`), true)
	equal(t, "tags", fmt.Sprint(events[1].Tags), "map[plan:pro region:eu]")
	equal(t, "extra", fmt.Sprint(events[1].Extra), "map[cart:[A-1]]")
}

func TestACaptureOverridesItsContextWhichOverridesTheProcess(t *testing.T) {
	s := start(t, obs.Options{Extra: map[string]any{"app": "options", "kept": true}})
	forget(t)
	tags := func(plan string) obs.Option { return obs.WithTags(map[string]string{"plan": plan}) }
	obs.SetUser(obs.User{ID: "process"})
	obs.SetTag("plan", "process")
	obs.SetTag("region", "eu")
	obs.SetExtra("app", "process")
	outer := obs.NewContext(context.Background(), obs.WithUser(obs.User{ID: "outer"}), tags("outer"), obs.WithExtra(map[string]any{"outer": 1}))
	inner := obs.NewContext(outer, tags("inner"))
	obs.CaptureMessage("process")
	obs.CaptureMessage("outer", obs.WithContext(outer))
	obs.CaptureMessage("inner", obs.WithContext(inner))
	obs.CaptureMessage("capture", obs.WithContext(inner), tags("capture"), obs.WithUser(obs.User{ID: "capture"}), obs.WithExtra(map[string]any{"app": 1}))
	var got []string
	for _, e := range s.flushed(t) {
		got = append(got, fmt.Sprint(e.User.ID, " ", e.Tags["plan"], " ", e.Tags["region"], " ", e.Extra))
	}
	equal(t, "user, plan, region, extra", strings.Join(got, "\n"), "process process eu map[app:process kept:true]\n"+
		"outer outer eu map[app:process kept:true outer:1]\nouter inner eu map[app:process kept:true outer:1]\n"+
		"capture capture eu map[app:1 kept:true outer:1]")
}

func TestEmptyValuesRemove(t *testing.T) {
	s := start(t, obs.Options{})
	forget(t)
	obs.SetUser(obs.User{ID: "7"})
	obs.SetTag("plan", "pro")
	obs.SetExtra("cart", 1)
	obs.CaptureMessage("for one event", obs.WithUser(obs.User{}), obs.WithTags(map[string]string{"plan": ""}), obs.WithExtra(map[string]any{"cart": nil}))
	obs.CaptureMessage("there")
	obs.SetUser(obs.User{})
	obs.SetTag("plan", "")
	obs.SetExtra("cart", nil)
	obs.CaptureMessage("gone")
	for i, e := range s.flushed(t) {
		equal(t, e.Message, strings.Contains(e.raw, `"user"`) || len(e.Tags)+len(e.Extra) > 0, i == 1)
	}
}

func TestBreadcrumbsAreTheLast50InOrder(t *testing.T) {
	s := start(t, obs.Options{})
	forget(t)
	ctx := obs.NewContext(context.Background())
	for i := 0; i < 60; i++ {
		add := obs.AddBreadcrumb
		if i%2 == 1 {
			add = obs.FromContext(ctx).AddBreadcrumb
		}
		add(obs.Breadcrumb{Message: fmt.Sprint(i)})
	}
	obs.CaptureMessage("with a context", obs.WithContext(ctx))
	obs.CaptureMessage("without")
	events := s.flushed(t)
	equal(t, "number of breadcrumbs", len(events[0].Breadcrumbs), 50)
	for i, crumb := range events[0].Breadcrumbs {
		equal(t, "message", crumb.Message, fmt.Sprint(i+10))
	}
	equal(t, "number of breadcrumbs of the process", len(events[1].Breadcrumbs), 30)
}

func TestBreadcrumbHasTheFormThatTheServerReads(t *testing.T) {
	s := start(t, obs.Options{})
	forget(t)
	data := map[string]any{"sku": "A-1", "odd": func() {}}
	when := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	obs.AddBreadcrumb(obs.Breadcrumb{Message: "added", Category: "cart", Level: obs.LevelInfo, Type: "user", Data: data, Timestamp: when})
	obs.AddBreadcrumb(obs.Breadcrumb{Message: "now"})
	data["sku"] = "changed later"
	obs.CaptureMessage("captured")
	e := s.only(t)
	if want := `"breadcrumbs":[{"timestamp":"2026-01-02T03:04:05+01:00","message":"added","category":"cart","level":"info","type":"user",` +
		`"data":{"odd":"[unserialisable: func()]","sku":"A-1"}},{"timestamp":"20`; !strings.Contains(e.raw, want) {
		t.Errorf("got %s", e.raw)
	}
	now := e.Breadcrumbs[1].Timestamp
	equal(t, "time zone", now.Location(), time.UTC)
	if age := time.Since(now); age < 0 || age > time.Minute {
		t.Errorf("the timestamp is %v old", age)
	}
}

func TestValuesMayBeModifiedOnceTheyAreSet(t *testing.T) {
	s := start(t, obs.Options{})
	forget(t)
	cart := map[string]any{"items": 1}
	obs.SetExtra("cart", cart)
	var group sync.WaitGroup
	group.Add(1)
	go func() {
		defer group.Done()
		for i := 0; i < 1000; i++ {
			cart["items"] = i // A race, if the SDK still read it.
		}
	}()
	for i := 0; i < 20; i++ {
		obs.CaptureMessage(fmt.Sprint("message ", i))
	}
	group.Wait()
	for _, e := range s.flushed(t) {
		equal(t, "extra", fmt.Sprint(e.Extra), "map[cart:map[items:1]]")
	}
}

func TestBeforeSendChangesOnlyTheEvent(t *testing.T) {
	s := start(t, obs.Options{BeforeSend: func(e *obs.Event) *obs.Event {
		e.User.ID += "!"
		e.Tags["plan"] += "!"
		e.Breadcrumbs[0].Message += "!"
		return e
	}})
	ctx := obs.NewContext(context.Background(), obs.WithUser(obs.User{ID: "7"}), obs.WithTags(map[string]string{"plan": "pro"}))
	obs.FromContext(ctx).AddBreadcrumb(obs.Breadcrumb{Message: "added"})
	for i := 0; i < 2; i++ {
		obs.CaptureMessage(fmt.Sprint("message ", i), obs.WithContext(ctx))
	}
	for _, e := range s.flushed(t) {
		equal(t, e.Message, e.User.ID+e.Tags["plan"]+e.Breadcrumbs[0].Message, "7!pro!added!")
	}
}

func TestContextWithoutAScopeReachesNoOtherEvent(t *testing.T) {
	s := start(t, obs.Options{})
	scope := obs.FromContext(context.Background())
	scope.SetUser(obs.User{ID: "7"})
	scope.SetTag("plan", "pro")
	scope.AddBreadcrumb(obs.Breadcrumb{Message: "added"})
	var none context.Context
	obs.CaptureMessage("captured", obs.WithContext(context.Background()), obs.WithContext(none))
	e := s.only(t)
	equal(t, "user, tags and breadcrumbs", fmt.Sprint(e.User, e.Tags, e.Breadcrumbs), "<nil> map[] []")
}

func TestPanickingOptionHarmsNobody(t *testing.T) {
	s := start(t, obs.Options{})
	ctx := obs.NewContext(context.Background(), func(*obs.Event) { panic("an option") }, nil)
	obs.FromContext(ctx).SetTag("plan", "pro")
	equal(t, "Flush after a loss", obs.Flush(time.Second), false)
	obs.CaptureMessage("captured", obs.WithContext(ctx), nil)
	equal(t, "tag", s.only(t).Tags["plan"], "pro")
}
