# obs: every command of the project. `make help` lists them.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: help server stop clean test test-rust test-browser test-go test-php test-js test-contrib test-sourcemaps \
        sourcemaps-live sdk-compat deps lint analyze-php count footprint bench torture fuzz fuzz-coverage dist dist-test \
        demo demo-go demo-php demo-js recipes-go recipes-php recipes-js screenshots

# `make deps` installs newer tools here if the machine's own are too old.
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

OBS  := target/release/obs
PID  := target/server.pid
LOG  := target/server.log
# True only if the process is still our server: PIDs are reused.
RUNS := test -f $(PID) && grep -qsz 'release/obs$$' /proc/$$(cat $(PID))/cmdline

help: ## list all targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# Where `make server` and `make demo` listen.
PORT := 8000

# $(call start,DATABASE): replaces our server, if any, with one that uses DATABASE.
define start
	cargo build --release
	@$(MAKE) --no-print-directory stop
	@mkdir -p target; : > $(LOG)
	@OBS_API_KEY=test123 OBS_LISTEN=localhost:$(PORT) OBS_DB_PATH=$(1) setsid $(OBS) > /dev/null 2>> $(LOG) < /dev/null & echo $$! > $(PID)
	@for i in $$(seq 200); do grep -qs 'listening on' $(LOG) && break; $(RUNS) || break; sleep 0.05; done
	@cat $(LOG); $(RUNS) || { rm -f $(PID); exit 1; }
endef

server: ## build obs and start it on http://localhost:8000, or another PORT, with the key test123
	$(call start,obs.sqlite)
	@echo
	@echo 'Open http://localhost:$(PORT), then send an event:'
	@echo
	@echo "  curl -X POST http://localhost:$(PORT)/api/events -H 'X-OBS-Key: test123' \\"
	@echo "    -d '{\"message\":\"something broke\",\"level\":\"error\",\"platform\":\"curl\"}'"
	@echo
	@echo 'make stop stops the server; the events stay in obs.sqlite.'

stop: ## stop the server that `make server` started
	@if $(RUNS); then kill $$(cat $(PID)); while $(RUNS); do sleep 0.05; done; echo 'obs stopped'; fi; rm -f $(PID)

clean: stop ## stop the server and delete its database and the demo's
	rm -f {obs,target/demo}.sqlite{,-wal,-shm,.lock}

demo: ## run the three examples against a new server, then print the dashboard's issues
	@tests/deps for-demo
	@$(MAKE) --no-print-directory stop
	rm -f target/demo.sqlite{,-wal,-shm,.lock}
	$(call start,target/demo.sqlite)
	@$(MAKE) --no-print-directory demo-go demo-php demo-js
	@node example/dashboard.mjs
	@echo 'Open http://localhost:$(PORT) to see them; make stop stops the server.'

demo-go: ## run the Go example against the running server
	cd example && go run .

demo-php: ## run the PHP example
	php example/php/main.php

demo-js: ## run the JavaScript example
	cd example/js && npm install --silent --no-audit --no-fund --offline && node main.js

recipes-js: deps ## run the JavaScript SDK's recipes; downloads Express, Fastify, Next.js, Vite and Jest
	cargo build
	cd example/recipes/js && npm ci --silent && npm pack --silent ../../../sdk/js > /dev/null && npm install --silent --no-save ./obs-sdk-*.tgz
	cd example/recipes/js && OBS_BIN=$(CURDIR)/target/debug/obs node run.js

screenshots: deps demo ## retake the README's screenshots from the demo
	node docs/screenshots.mjs

test: deps test-rust test-browser test-go test-php test-js test-contrib test-sourcemaps sdk-compat ## run all tests

test-rust: ## test the server and the documentation
	cargo test --quiet

test-browser: deps ## test the dashboard in a real browser
	cargo build --quiet
	OBS_BIN=$(CURDIR)/target/debug/obs node --test tests/browser/*.test.js

test-go: deps ## test the Go SDK
	cd sdk/go && go test -race ./...

recipes-go: ## run the Go recipes against the real server, or against OBS_BIN
	@tests/deps for-demo
	$(if $(OBS_BIN),,cargo build)
	cd example/recipes/go && OBS_BIN=$(abspath $(or $(OBS_BIN),target/debug/obs)) go test -count=1 -v .

test-php: deps ## test the PHP SDK
	phpunit -c sdk/php

recipes-php: ## run the programs of the PHP SDK's recipes against a server; installs Symfony and WordPress from Debian
	example/recipes/php/run

test-js: deps ## test the JavaScript SDK on Node, Bun and Chromium, and its package
	cd sdk/js && node --test test/*.test.js test/browser/*.test.js && node_modules/.bin/bun test --timeout 60000 ./test/*.test.js

test-contrib: deps ## test the alert scripts
	node --test contrib/test/*.test.js

sourcemaps-live: deps ## upload source maps with Sentry's tools, report an error from a real browser, and read its page
	cargo build --quiet
	OBS_BIN=$(CURDIR)/target/debug/obs node --test $(if $(ONLY),--test-name-pattern='$(ONLY)') tests/sourcemaps-live/live.test.js

test-sourcemaps: ## the same with one command-line tool and one plugin
	@$(MAKE) --no-print-directory sourcemaps-live ONLY='(sentry-cli 3|Vite plugin): by debug id$$$$'

# With a DRIVER, neither our SDKs nor their languages are needed; with OBS_BIN, no Rust.
sdk-compat: ## test every SDK, and Sentry's, against the real server or OBS_BIN; DRIVER='command' tests yours instead
	$(if $(OBS_BIN),,cargo build)
ifndef DRIVER
	@tests/deps
	for driver in go sentry-go; do (cd sdk-compat/drivers/$$driver && go build -o $(CURDIR)/target/sdk-compat/$$driver .) || exit 1; done
	sdk/js/node_modules/.bin/bun build --target browser --outfile target/sdk-compat/sentry-browser.js sdk-compat/drivers/sentry-js/browser.js > /dev/null
endif
	@OBS_BIN=$(abspath $(or $(OBS_BIN),target/debug/obs)) node sdk-compat/run.js

deps: ## install whatever the tests need and the machine lacks
	@tests/deps

lint: deps ## check formatting, lints and types
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	for module in sdk/go sdk-compat/drivers/{go,sentry-go} example; do (cd $$module && test -z "$$(gofmt -l . | tee /dev/stderr)" && go vet ./...) || exit 1; done
	cd sdk/go && staticcheck ./...
	find sdk/php example sdk-compat/drivers/php -name '*.php' -print0 | xargs -0 -n1 php -l > /dev/null
	cd sdk/php && phpcs -q
	cd sdk/js && node_modules/.bin/tsc -p .
	for script in contrib/*.sh packaging/debian/{postinst,prerm,postrm} packaging/systemd/backup; do sh -n $$script || exit 1; done
	packaging/licenses check
	actionlint

analyze-php: ## check the types of the PHP SDK; needs mago
	@command -v mago > /dev/null || { echo 'mago is missing: cargo install mago --version 1.29.0 --locked' >&2; exit 1; }
	cd sdk/php && mago analyze

bench: ## measure throughput and latency; PEER=URL measures another server
	cargo bench --quiet --bench bench

torture: deps ## run attacks and crashes for long enough to hurt, and print figures
	cargo test --release --quiet --test torture -- --ignored --nocapture --test-threads 1
	KILLS=20 cargo test --release --quiet --test durability

fuzz: ## send malformed requests and source maps, each for ten minutes or for FUZZ_SECONDS
	FUZZ_SECONDS=$${FUZZ_SECONDS:-600} cargo test --release --quiet --test fuzz --test fuzz_bundles --test sourcemaps_maps -- --nocapture

fuzz-coverage: ## fuzz the parsers, guided by coverage; needs cargo-fuzz
	for target in head event; do RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir tests/coverage $$target -- -max_total_time=300 -timeout=5 || exit 1; done

dist: ## build the release into dist/: static binaries, .tar.gz, .deb and SHA256SUMS; TARGETS limits it to some
	packaging/dist $(TARGETS)

dist-test: dist ## test the release in a bare Debian and an empty container; needs root and Debian's mirror, takes minutes
	@tests/deps for-dist
	packaging/test/all

count: ## count lines of code, without tests, comments and blank lines
	@tests/count

footprint: ## print the binary's size, idle memory and time to the first response
	cargo build --release
	@tests/footprint $(OBS)
