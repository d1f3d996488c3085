# `make run` and `make test` set up whatever is missing first.
.DEFAULT_GOAL := help
.PHONY: help run test lint oracle bench \
    bench-address bench-billing bench-control bench-export bench-payments bench-pdf bench-radius bench-reports bench-routeros bench-wire \
    prove-faults prove-network-faults prove-radius-outage shell stop reset

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' Makefile

run: ## set up, load the sample provider and serve it at http://127.0.0.1:8069
	@scripts/run

test: ## every test; ARGS="--odoo isp_billing" or ARGS="--only radius" for some
	@scripts/test $(ARGS)

lint: ## code checks
	@scripts/lint

oracle: ## billing cases against the billing engine; FILE=cases.csv for a file of your own
	@scripts/oracle $(if $(FILE),'$(FILE)')

bench: ## benchmarks
	@scripts/bench $(ARGS)

bench-address: ## seconds to say who had an address and port, over a year of sessions
	@scripts/bench address_search $(ARGS)

bench-billing: ## bills a second, against OCA contract; ARGS="--full" up to 100,000
	@scripts/bench billing $(ARGS)

prove-faults: ## kill a run of 10,000 bills at ten random moments; ARGS="--seed N" repeats one
	@scripts/prove-faults $(ARGS)

bench-control: ## milliseconds to find a customer in the control room, at 100,000
	@scripts/bench control_room $(ARGS)

bench-export: ## time and memory of a data package with a million sessions, and of its import
	@scripts/bench privacy_export $(ARGS)

bench-pdf: ## PDF files of bills a second, against wkhtmltopdf
	@scripts/bench pdf $(ARGS)

bench-reports: ## seconds to open each report at 100,000 subscriptions, beside the ORM
	@scripts/bench reports $(ARGS)

bench-routeros: ## a router of 20,000 logins reconciled, against plain librouteros
	@scripts/bench routeros $(ARGS)

bench-payments: ## a customer's way back beside Odoo's demo provider, and the job over 10,000 open payments
	@scripts/bench payments $(ARGS)

bench-wire: ## seconds from a payment to the router and to full speed
	@scripts/bench payment_to_wire $(ARGS)

bench-radius: ## logins and accounting a second, against FreeRADIUS's stock schema; ARGS="--small"
	@scripts/bench radius $(ARGS)

prove-radius-outage: ## ten minutes without a database under load; ARGS="--minutes 1"
	@scripts/prove-radius-outage $(ARGS)

prove-network-faults: ## kill PostgreSQL, Odoo and routers while 500 services change and 100 are paid
	@scripts/prove-network-faults $(ARGS)

shell: ## Python prompt inside the sample database
	@scripts/odoo shell -d isp

stop: ## stop everything `make run` started
	@scripts/run stop

reset: ## forget the databases and files of `make run` (asks; YES=1 does not)
	@scripts/run reset
