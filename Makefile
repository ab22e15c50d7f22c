# obs: every command of the project. `make help` lists them.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: help server stop clean test test-rust test-browser deps lint footprint

OBS  := target/release/obs
PID  := target/server.pid
LOG  := target/server.log
# Only a process that still is the server that was started, never another one that got its number.
RUNS := test -f $(PID) && grep -qsz 'release/obs$$' /proc/$$(cat $(PID))/cmdline

help: ## show all targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

server: ## build obs and start it on http://localhost:8000 with the key test123
	cargo build --release
	@$(MAKE) --no-print-directory stop
	@mkdir -p target; : > $(LOG)
	@OBS_API_KEY=test123 OBS_LISTEN=localhost:8000 setsid $(OBS) > /dev/null 2>> $(LOG) < /dev/null & echo $$! > $(PID)
	@for i in $$(seq 200); do grep -qs 'listening on' $(LOG) && break; $(RUNS) || break; sleep 0.05; done
	@cat $(LOG); $(RUNS) || { rm -f $(PID); exit 1; }
	@echo
	@echo 'Open http://localhost:8000, then send an event:'
	@echo
	@echo "  curl -X POST http://localhost:8000/api/events -H 'X-OBS-Key: test123' \\"
	@echo "    -d '{\"message\":\"something broke\",\"level\":\"error\",\"platform\":\"curl\"}'"
	@echo
	@echo 'make stop ends the server; the events stay in obs.sqlite.'

stop: ## stop the server that `make server` started
	@if $(RUNS); then kill $$(cat $(PID)); while $(RUNS); do sleep 0.05; done; echo 'obs stopped'; fi; rm -f $(PID)

clean: stop ## stop the server and delete its database
	rm -f obs.sqlite obs.sqlite-wal obs.sqlite-shm obs.sqlite.lock

test: deps test-rust test-browser ## run everything

test-rust: ## the server's tests
	cargo test --quiet

test-browser: ## the dashboard in a real browser
	cargo build --quiet
	OBS_BIN=$(CURDIR)/target/debug/obs node --test tests/browser/pages.test.js

deps: ## install what the tests need and is missing
	@tests/deps

lint: ## formatting and lints, all as errors
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

footprint: ## size of the binary, memory at rest, time to the first answer
	cargo build --release
	@tests/footprint $(OBS)
