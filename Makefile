# Each target works as the only command in a fresh clone on a Debian machine; second runs are quick.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help lint test proof demo images cluster conformance e2e docs bench clean machine dependencies

export PATH := $(CURDIR)/node_modules/.bin:$(PATH):/usr/sbin:/sbin
TSX := node --import tsx
# embedded, or dagger: the session or the `dagger` command that is there.
ENGINE ?= embedded
# Only what has this in its path (test) or name (conformance).
FILTER ?=
# What the cluster is to have, or --stop (cluster).
ARGS ?=
# Parts to measure, by comma; all of them unless told (bench).
ONLY ?=

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r target text; do printf '  make %-12s %s\n' "$$target" "$$text"; done

machine: # Debian packages, Node
	@ci/machine.sh

dependencies: machine
	@node ci/dependencies.mjs

lint: dependencies ## types, style, format, imports, unused exports, workflows
	@ci/lint/run.sh

test: dependencies ## everything: unit, engine, conformance, end to end (FILTER=path)
	@$(TSX) ci/sandbox/images.ts --quiet --base
	@# The programs that take minutes to build are built beside the tests that do without them.
	@{ $(TSX) ci/sandbox/images.ts --quiet; $(TSX) ci/sandbox/cluster/main.ts --programs; } & \
	  $(TSX) test/run.ts --filter "$(FILTER)"

proof: dependencies ## delivery on a real cluster, case by case: long, not part of test (FILTER=file)
	@$(TSX) ci/sandbox/images.ts --quiet
	@$(TSX) test/run.ts --filter "test/e2e/delivery/$(FILTER)"

demo: dependencies ## a service checked, released, deployed, a broken one taken back (ENGINE=embedded|dagger)
	@ENGINE="$(ENGINE)" $(TSX) ci/demo/main.ts

images: dependencies ## the loopback registry, filled with stand-in images
	@$(TSX) ci/sandbox/images.ts

cluster: dependencies ## this working copy's Kubernetes cluster (ARGS="--prometheus --mlflow", ARGS=--stop)
	@$(TSX) ci/sandbox/cluster/main.ts $(ARGS)

conformance: dependencies ## the API's answers (ENGINE=embedded|dagger, FILTER=name)
	@case "$(ENGINE)" in \
	  embedded) $(TSX) test/conformance/embedded.ts --filter "$(FILTER)" ;; \
	  dagger) $(TSX) test/conformance/run.ts --filter "$(FILTER)" ;; \
	  *) echo "ENGINE is embedded or dagger, not $(ENGINE)." >&2; exit 2 ;; \
	esac

docs: dependencies ## the generated parts of README.md and docs/
	@$(TSX) test/docs/write.ts

e2e: dependencies ## the module's verdicts, image and exit codes (ENGINE=embedded|dagger)
	@if [ "$(ENGINE)" = embedded ]; then $(TSX) ci/sandbox/images.ts --quiet; fi
	@ENGINE="$(ENGINE)" $(TSX) test/dagger/answers.test.ts

bench: dependencies ## measure, and write docs/benchmarks.md (ONLY=checks,evidence,…)
	@$(TSX) ci/sandbox/images.ts --quiet
	@$(TSX) ci/bench/main.ts --only "$(ONLY)"

clean: ## stop the cluster and the loopback registry, remove node_modules and reports; the cache stays
	@if [ -d node_modules ]; then $(TSX) ci/sandbox/cluster/main.ts --stop; $(TSX) ci/sandbox/images.ts --stop; fi
	@rm -rf node_modules reports
