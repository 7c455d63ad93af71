.DEFAULT_GOAL := help
.PHONY: help build test lint ci

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-8s %s\n", $$1, $$2}'

build: ## Build the static binary ./agentserver
	CGO_ENABLED=0 go build -trimpath -o agentserver .

test: ## Run the tests that need only Go
	go test ./...

lint: ## Run the linters, at their pinned version
	.ci/lint

ci: ## Run every check, as CI does
	.ci/run
