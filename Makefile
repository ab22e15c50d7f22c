# obs: every command of the project. `make help` lists them.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: help server stop clean test test-rust test-browser test-go test-php test-js test-contrib sdk-compat deps lint footprint \
        bench torture fuzz fuzz-coverage \
        demo demo-go demo-php demo-js screenshots

# `make deps` puts there what the machine has too old.
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

OBS  := target/release/obs
PID  := target/server.pid
LOG  := target/server.log
# Only a process that still is the server that was started, never another one that got its number.
RUNS := test -f $(PID) && grep -qsz 'release/obs$$' /proc/$$(cat $(PID))/cmdline

help: ## show all targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# $(call start,DATABASE): a server on port 8000 in the background, in place of the one that ran there before.
define start
	cargo build --release
	@$(MAKE) --no-print-directory stop
	@mkdir -p target; : > $(LOG)
	@OBS_API_KEY=test123 OBS_LISTEN=localhost:8000 OBS_DB_PATH=$(1) setsid $(OBS) > /dev/null 2>> $(LOG) < /dev/null & echo $$! > $(PID)
	@for i in $$(seq 200); do grep -qs 'listening on' $(LOG) && break; $(RUNS) || break; sleep 0.05; done
	@cat $(LOG); $(RUNS) || { rm -f $(PID); exit 1; }
endef

server: ## build obs and start it on http://localhost:8000 with the key test123
	$(call start,obs.sqlite)
	@echo
	@echo 'Open http://localhost:8000, then send an event:'
	@echo
	@echo "  curl -X POST http://localhost:8000/api/events -H 'X-OBS-Key: test123' \\"
	@echo "    -d '{\"message\":\"something broke\",\"level\":\"error\",\"platform\":\"curl\"}'"
	@echo
	@echo 'make stop ends the server; the events stay in obs.sqlite.'

stop: ## stop the server that `make server` started
	@if $(RUNS); then kill $$(cat $(PID)); while $(RUNS); do sleep 0.05; done; echo 'obs stopped'; fi; rm -f $(PID)

clean: stop ## stop the server and delete its database, and the demo's
	rm -f {obs,target/demo}.sqlite{,-wal,-shm,.lock}

demo: ## the three examples on a server of their own, in place of `make server`'s, and what the dashboard has then
	@tests/deps for-demo
	@$(MAKE) --no-print-directory stop
	rm -f target/demo.sqlite{,-wal,-shm,.lock}
	$(call start,target/demo.sqlite)
	@$(MAKE) --no-print-directory demo-go demo-php demo-js
	@node example/dashboard.mjs
	@echo 'Open http://localhost:8000 to see them; make stop ends the server.'

demo-go: ## the Go example, against the server that runs
	cd example && go run .

demo-php: ## the PHP example
	php example/php/main.php

demo-js: ## the JavaScript example
	cd example/js && npm install --silent --no-audit --no-fund --offline && node main.js

screenshots: deps demo ## make the README's pictures anew, from the demo
	node docs/screenshots.mjs

test: deps test-rust test-browser test-go test-php test-js test-contrib sdk-compat ## run everything

test-rust: ## the server's tests
	cargo test --quiet

test-browser: deps ## the dashboard in a real browser
	cargo build --quiet
	OBS_BIN=$(CURDIR)/target/debug/obs node --test tests/browser/*.test.js

test-go: deps ## the Go SDK's tests
	cd sdk/go && go test -race ./...

test-php: deps ## the PHP SDK's tests
	phpunit -c sdk/php

test-js: deps ## the JavaScript SDK's tests, on Node and on Bun
	cd sdk/js && node --test test/*.test.js test/browser/*.test.js && node_modules/.bin/bun test --timeout 60000 ./test/*.test.js

test-contrib: deps ## the alert scripts
	node --test contrib/test/*.test.js

# Tests of one's own driver need neither our SDKs nor what they run on.
sdk-compat: ## every SDK against the real server; DRIVER='command' tests your own
	cargo build
ifndef DRIVER
	@tests/deps
	cd sdk-compat/drivers/go && go build -o $(CURDIR)/target/sdk-compat/go .
endif
	@OBS_BIN=$(CURDIR)/target/debug/obs GO_DRIVER=$(CURDIR)/target/sdk-compat/go node sdk-compat/run.js

deps: ## install what the tests need and is missing
	@tests/deps

lint: deps ## formatting, lints and types, all as errors
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	for module in sdk/go sdk-compat/drivers/go example; do (cd $$module && test -z "$$(gofmt -l . | tee /dev/stderr)" && go vet ./...) || exit 1; done
	find sdk/php example/php sdk-compat/drivers/php -name '*.php' -print0 | xargs -0 -n1 php -l > /dev/null
	cd sdk/js && node_modules/.bin/tsc -p .
	for script in contrib/*.sh; do sh -n $$script || exit 1; done

bench: ## what obs does in a second and what it costs, as tables; PEER=URL measures another server
	cargo bench --quiet --bench bench

torture: deps ## attacks and crashes, long enough to hurt, with figures
	cargo test --release --quiet --test torture -- --ignored --nocapture --test-threads 1
	KILLS=20 cargo test --release --quiet --test durability

fuzz: ## spoilt requests for ten minutes; FUZZ_SECONDS=N for as long as you like
	FUZZ_SECONDS=$${FUZZ_SECONDS:-600} cargo test --release --quiet --test fuzz -- --nocapture

fuzz-coverage: ## what reads other people's bytes, guided by coverage; needs cargo-fuzz
	for target in head event; do RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/coverage $$target -- -max_total_time=300 -timeout=5 || exit 1; done

footprint: ## size of the binary, memory at rest, time to the first answer
	cargo build --release
	@tests/footprint $(OBS)
