#!/bin/sh
# Django's deployment checks on the settings of a production node; a warning is a failure.
set -eu
cd "$(dirname "$0")/.."
DATABASE_URL=postgresql://portal@localhost/portal REDIS_URL=redis://localhost:6379/0 \
  SECRET_KEY=$(.venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
  ALLOWED_HOSTS=metrics.example.com PORTAL_URL=https://metrics.example.com PORTAL_BEHIND_PROXY=true \
  .venv/bin/python -W error manage.py check --deploy --fail-level WARNING
