// gin: obs.Handler is around the engine, and gin's recovery reports the panics that it ends.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	obs "github.com/alexisbouchez/observability-prototype/sdk/go"
	"github.com/gin-gonic/gin"
)

func main() {
	obs.Init(obs.Options{DSN: os.Getenv("OBS_DSN"), Environment: "production"})
	defer obs.Flush(5 * time.Second)

	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use(gin.CustomRecovery(recovered), report)
	engine.GET("/pay", pay)
	engine.GET("/panic", func(*gin.Context) { panic("out of stock") })

	serve(&http.Server{Addr: os.Getenv("ADDR"), Handler: obs.Handler(engine)})
}

// recovered is called for a panic. gin then ends the request.
func recovered(c *gin.Context, value any) {
	obs.CapturePanic(value, obs.WithContext(c.Request.Context()))
	c.AbortWithStatus(http.StatusInternalServerError)
}

// report says what is known about the request, and reports the errors that handlers add to it.
func report(c *gin.Context) {
	scope := obs.FromContext(c.Request.Context())
	scope.SetTag("route", c.FullPath())
	scope.SetUser(obs.User{ID: c.GetHeader("X-User")}) // stands for the program's own authentication
	c.Next()
	for _, err := range c.Errors {
		obs.CaptureException(err.Err, obs.WithContext(c.Request.Context()))
	}
}

func pay(c *gin.Context) {
	obs.FromContext(c.Request.Context()).AddBreadcrumb(obs.Breadcrumb{Category: "payment", Message: "asking the bank"})
	if err := charge(); err != nil {
		_ = c.AbortWithError(http.StatusInternalServerError, err)
	}
}

func charge() error { return errors.New("bank did not respond") }

// serve returns once the process is asked to end and the last request is done.
func serve(server *http.Server) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		timeout, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(timeout)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		obs.CaptureException(err)
		log.Print(err)
		return
	}
	<-ctx.Done()
}
