"""Modules that store something, and that `make test` runs on SQLite alone all the same.

The rule: what such a module proves is decided in Python after plain reads and writes of rows. Who may see, open or
change what; which words, figures and shapes a page, a mail or a file shows. It does not belong here when it is about

- what stores, attributes, prices, adds up, closes or removes requests: ingest, rollups, engine, chargeback, retention;
- transactions, locks, constraints, or work at once;
- texts and numbers that a database may refuse or read in its own way (NUL, too long, too large, an injection);
- what the database sorts, searches or cuts into pages.

Beside each stands a module of the same surface that runs on both: it would see a statement that only one of them takes.
`make test-all` and `python -m tests.run --rls` run all of them on PostgreSQL, too.
"""

from typing import Final

MODULES: Final = {
    "access/test_assignment.py": "access/test_secrets.py",
    "access/test_caches.py": "access/test_secrets.py",
    "access/test_faults.py": "access/test_secrets.py",
    "analytics/exports/test_files.py": "analytics/exports/test_resuming.py",
    "analytics/test_annotations_access.py": "analytics/test_api_annotations.py",
    "analytics/test_annotations_page.py": "analytics/test_api_annotations.py",
    "analytics/test_api_metrics_access.py": "analytics/test_api_metrics.py",
    "analytics/test_api_report_compare.py": "analytics/test_api_report.py",
    "analytics/test_api_schema.py": "analytics/test_api_contract.py",
    "analytics/test_breakdown_movement.py": "analytics/test_engine.py",
    "analytics/test_chargeback_admin.py": "chargeback/test_outbox.py",
    "analytics/test_costs_page.py": "analytics/test_cost_states.py",
    "analytics/test_dashboard_questions.py": "analytics/test_api_metrics.py",
    "analytics/test_default_views.py": "analytics/test_api_saved_views.py",
    "analytics/test_month_page.py": "chargeback/test_closing.py",
    "analytics/test_overview.py": "analytics/test_requests_page.py",
    "analytics/test_routing.py": "analytics/test_engine.py",
    "analytics/test_statement_pages.py": "analytics/test_statement_words.py",
    "budgets/test_api.py": "analytics/test_api_contract.py",
    "budgets/test_pages.py": "budgets/test_alerts.py",
    "ingestion/uploads/test_access.py": "ingestion/uploads/test_running.py",
    "retention/test_surfaces.py": "retention/test_questions.py",
    "teams/admin/test_borders.py": "teams/admin/test_acts.py",
    "teams/settings/test_access.py": "teams/settings/test_people.py",
}
"""By path under `tests`."""
