# The developer's commands; `make` alone lists them. Everything else is in scripts/ and manage.py.
PYTHON := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run setup test check bench evidence soak screenshots assets lock clean

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

run: ## start everything; options by ARGS="--speed 300 --fresh"
	@sh scripts/bootstrap.sh run
	@exec $(PYTHON) manage.py run_stack $(ARGS)

setup: ## the environment with the development requirements; no database
	@sh scripts/bootstrap.sh dev

test: setup ## the whole suite, side by side in three processes; pytest's options by ARGS
	@$(PYTHON) scripts/ensure_browser.py
	@PYTHONDONTWRITEBYTECODE= exec $(PYTHON) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup ## format, lint, imports, migrations, deployment, assets, types
	@exec $(PYTHON) scripts/check.py

bench: setup ## measure what this machine does
	@exec $(PYTHON) scripts/bench.py $(ARGS)

evidence: setup ## write docs/reliability.md from what is tried now; ROWS=F11,I4,P03 prints these alone
	@exec $(PYTHON) scripts/evidence.py --rows "$(ROWS)"

soak: setup ## 10,000 simulated days; DAYS=, SEED=, JOBS=
	@exec $(PYTHON) manage.py simulate --days $(or $(DAYS),10000) --seed $(or $(SEED),100000) --jobs $(or $(JOBS),2) --counts

screenshots: setup ## render every page into docs/screenshots
	@$(PYTHON) scripts/ensure_browser.py
	@exec $(PYTHON) scripts/screenshots.py $(ARGS)

assets: ## build the committed CSS and JavaScript anew; needs npm
	cd theme/static_src && npm install --no-save --no-audit --no-fund && npm run build

lock: setup ## pin and hash requirements*.in anew
	$(PYTHON) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes requirements-uv.in -o requirements-uv.txt
	$(PYTHON) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes requirements.in -o requirements.txt
	$(PYTHON) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes requirements-dev.in -c requirements.txt -o requirements-dev.txt

clean: ## remove what was built or installed; the state directory var stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis staticfiles logs theme/static_src/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
