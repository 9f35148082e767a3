"""Settings, read from the environment only. What is missing or weak stops the start with a sentence.

Embedded mode (no DATABASE_URL): SQLite, files as broker and mailbox, all under PORTAL_VAR_DIR.
Production mode (DATABASE_URL set): PostgreSQL, Redis by REDIS_URL, SMTP by EMAIL_URL.
"""

import re
import secrets
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from metricsportal import room
from metricsportal.fixed import *  # noqa: F403 - what no environment changes
from metricsportal.lib import keeping

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

EMBEDDED = not env.str("DATABASE_URL", default="")
VAR_DIR = Path(env.str("PORTAL_VAR_DIR", default=str(BASE_DIR / "var")))
PORTAL_URL = env.str("PORTAL_URL", default="http://127.0.0.1:8000").rstrip("/")


def _debug() -> bool:
    debug: bool = env.bool("DEBUG", default=False)
    if debug and not EMBEDDED:
        raise ImproperlyConfigured("DEBUG shows settings and queries to visitors; unset it where DATABASE_URL is set.")
    return debug


def _secret_key() -> str:
    """SECRET_KEY from the environment; in embedded mode a generated one, kept under PORTAL_VAR_DIR."""
    key: str = env.str("SECRET_KEY", default="")
    if not key and EMBEDDED:
        VAR_DIR.mkdir(parents=True, exist_ok=True)
        path = VAR_DIR / "secret-key"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(64))
        key = path.read_text().strip()
    if len(key) < 32:
        raise ImproperlyConfigured("SECRET_KEY must be set to at least 32 random characters.")
    if len(set(key)) < 8 or key.startswith("django-insecure-"):
        raise ImproperlyConfigured("SECRET_KEY is a placeholder; set at least 32 random characters.")
    return key


def _allowed_hosts() -> list[str]:
    hosts: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if EMBEDDED else [])
    if not hosts and not DEBUG:
        raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts under which the portal is reached.")
    if "*" in hosts and not DEBUG:
        raise ImproperlyConfigured("ALLOWED_HOSTS=* accepts forged Host headers; name the hosts.")
    return hosts


def _keep_usage() -> str:
    keep: str = env.str("PORTAL_KEEP_USAGE", default="flagged").lower()
    if keep not in ("flagged", "all", "never"):
        raise ImproperlyConfigured("PORTAL_KEEP_USAGE must be flagged, all or never.")
    return keep


DEBUG = _debug()
SECRET_KEY = _secret_key()
ALLOWED_HOSTS = _allowed_hosts()

INSTALLED_APPS = [
    "metricsportal",
    "teams",
    "ingestion",
    "analytics",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "teams.apps.PortalAdminConfig",  # django.contrib.admin with the site of the portal
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "axes",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
]

MIDDLEWARE = [
    "metricsportal.middleware.OneBorder",
    "django.middleware.security.SecurityMiddleware",
    "metricsportal.middleware.ResponseHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "teams.entrances.EntranceMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it replaces the answer to a refused sign-in
]

ROOT_URLCONF = "metricsportal.urls"
WSGI_APPLICATION = "metricsportal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


ROW_SECURITY = env.bool("PORTAL_RLS", default=False)  # a second line behind scopes: docs/row-level-security.md
if ROW_SECURITY and EMBEDDED:
    raise ImproperlyConfigured("PORTAL_RLS=on needs PostgreSQL: set DATABASE_URL.")


def _databases() -> dict[str, dict[str, Any]]:
    if not EMBEDDED:
        database: dict[str, Any] = env.db_url("DATABASE_URL")
        if "postgresql" not in database["ENGINE"]:
            raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database (postgresql://...).")
        database["CONN_MAX_AGE"] = env.int("PORTAL_CONNECTION_MAX_AGE", default=300)
        database["CONN_HEALTH_CHECKS"] = True
        if ROW_SECURITY:
            database["ENGINE"] = "metricsportal.row_security"
        return {"default": database}
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    return {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": VAR_DIR / "portal.sqlite3",
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                # IMMEDIATE: a deferred transaction that reads and then writes fails with SQLITE_BUSY without waiting.
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # FULL, not NORMAL: in WAL mode NORMAL may lose acknowledged commits on power loss.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;",
            },
            "TEST": {"NAME": VAR_DIR / "test.sqlite3"},
        },
    }


DATABASES = _databases()
# Acknowledged must mean stored: a database that may lose commits is refused, see metricsportal/durability.py.
REQUIRE_DURABLE_DATABASE = True

AUTH_USER_MODEL = "teams.User"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
PASSWORD_RESET_TIMEOUT = 3600
# Wrong passwords that are looked at before an account, or an address, has to wait.
AXES_FAILURE_LIMIT = max(1, env.int("PORTAL_SIGN_IN_TRIES", default=10))
SIGN_IN_TRIES_PER_ADDRESS = max(1, env.int("PORTAL_SIGN_IN_TRIES_PER_ADDRESS", default=20))
AXES_COOLOFF_TIME = timedelta(minutes=max(1, env.int("PORTAL_SIGN_IN_LOCK_MINUTES", default=60)))
# Whether single sign-on may lead to providers in private networks, and without TLS on this machine.
SSO_PRIVATE = env.bool("PORTAL_SSO_PRIVATE", default=False)
# DNS servers that are asked for the proof of a domain; none: those of the machine.
DNS_SERVERS = env.list("PORTAL_DNS_SERVERS", default=[])

_SECURE = urlsplit(PORTAL_URL).scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if _SECURE else 0
SECURE_SSL_REDIRECT = False  # the proxy in front terminates TLS
BEHIND_PROXY = env.bool("PORTAL_BEHIND_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[PORTAL_URL] if _SECURE else [])
X_FRAME_OPTIONS = "DENY"
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # whether HSTS holds for all subdomains is the domain owner's decision
    "security.W008",  # the proxy in front redirects to TLS
    "security.W021",  # as W005, for browsers' preload lists
]

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("PORTAL_STATIC_ROOT", default=str(VAR_DIR / "static")))
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "metricsportal.assets.VendorFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "metricsportal.assets.HashedStorage"},
}

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="filemail://" if EMBEDDED else "smtp://localhost:25")
vars().update(EMAIL_CONFIG)
EMAIL_FILE_PATH = str(VAR_DIR / "mail")
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Metrics portal <portal@localhost>")

REDIS_URL = env.str("REDIS_URL", default="")
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost//"
_BROKER_DIR = VAR_DIR / "broker"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {"visibility_timeout": 3600}
    if REDIS_URL
    else {
        "data_folder_in": str(_BROKER_DIR / "queue"),
        "data_folder_out": str(_BROKER_DIR / "queue"),
        "control_folder": str(_BROKER_DIR / "control"),
    }
)
if not REDIS_URL:
    for _folder in ("queue", "control"):
        (_BROKER_DIR / _folder).mkdir(parents=True, exist_ok=True)
# Scrapers of /metrics send it as bearer token; empty: anybody who reaches the portal may read the sums.
METRICS_TOKEN = env.str("PORTAL_METRICS_TOKEN", default="")

# A request that has not arrived in full by then is refused: a slow client must not keep others waiting.
REQUEST_SECONDS = env.int("PORTAL_REQUEST_SECONDS", default=30)
# Files of gigabytes are read by their view, piece by piece, after it has looked at who sends them.
STREAMED_PATH = re.compile(r"/o/[^/]+/ingestion/upload")

# Ingest limits, see docs/configuration.md.
INGEST_PAST_DAYS = env.int("PORTAL_INGEST_PAST_DAYS", default=35)
INGEST_FUTURE_MINUTES = env.int("PORTAL_INGEST_FUTURE_MINUTES", default=5)
INGEST_MAX_WIRE_BYTES = env.int("PORTAL_INGEST_MAX_WIRE_BYTES", default=32 * 2**20)
INGEST_MAX_BODY_BYTES = env.int("PORTAL_INGEST_MAX_BODY_BYTES", default=64 * 2**20)
INGEST_MAX_BYTES_AT_ONCE = env.int("PORTAL_INGEST_MAX_BYTES_AT_ONCE", default=128 * 2**20)
INGEST_MAX_RECORDS = env.int("PORTAL_INGEST_MAX_RECORDS", default=20_000)
INGEST_NEW_VALUES_PER_HOUR = env.int("PORTAL_INGEST_NEW_VALUES_PER_HOUR", default=1_000)
# Of which requests the provider's usage object is kept for audit, see docs/decisions/0006-raw-usage.md.
KEEP_USAGE = _keep_usage()
# Langfuse's batches tell of one call in several events: how long a finished call waits for its user, see
# docs/configuration.md, and how many unfinished calls, and how many traces, are kept per organization.
LANGFUSE_GRACE_SECONDS = env.int("PORTAL_LANGFUSE_GRACE_SECONDS", default=30)
LANGFUSE_MAX_PENDING = env.int("PORTAL_LANGFUSE_MAX_PENDING", default=100_000)
METADATA_KEYS_MAX = env.int("PORTAL_METADATA_KEYS_MAX", default=8)

# Uploaded files, on their way from the browser to the worker that imports them.
UPLOAD_DIR = Path(env.str("PORTAL_UPLOAD_DIR", default=str(VAR_DIR / "uploads")))
UPLOAD_MAX_BYTES = env.int("PORTAL_UPLOAD_MAX_BYTES", default=2 * 2**30)
UPLOAD_KEEP_DAYS = env.int("PORTAL_UPLOAD_KEEP_DAYS", default=7)

# Files of exports that are prepared in the background.
EXPORT_DIR = Path(env.str("PORTAL_EXPORT_DIR", default=str(VAR_DIR / "exports")))
EXPORT_KEEP_DAYS = env.int("PORTAL_EXPORT_KEEP_DAYS", default=7)

# Most fact rows one question may read; above it the answer is a refusal that names what to narrow.
QUERY_FACT_BUDGET = env.int("PORTAL_QUERY_FACT_BUDGET", default=250_000)
QUERY_REQUEST_BUDGET = env.int("PORTAL_QUERY_REQUEST_BUDGET", default=2_000_000)
# Megabytes of aggregates that every process remembers between questions, 0 = none.
AGGREGATE_CACHE_MB = env.int("PORTAL_AGGREGATE_CACHE_MB", default=room.share_mb(16, most=512))

# Days after the end of a month in which late records still count for it, before its statements are frozen.
CLOSE_GRACE_DAYS = env.int("PORTAL_CLOSE_GRACE_DAYS", default=3)

# Networks that webhooks of budgets may reach besides the public one, without encryption too.
WEBHOOK_PRIVATE_NETWORKS = env.list("PORTAL_WEBHOOK_PRIVATE_NETWORKS", default=[])
try:
    for _network in WEBHOOK_PRIVATE_NETWORKS:
        ip_network(_network)
except ValueError as _error:
    raise ImproperlyConfigured(f"PORTAL_WEBHOOK_PRIVATE_NETWORKS: {_error}") from None

# Days that single requests and aggregates of hours are kept, 0 = for ever, see docs/retention.md.
try:
    KEEP_REQUESTS_DAYS = keeping.days_of(env.str("PORTAL_KEEP_REQUESTS_DAYS", default="90"))
    KEEP_HOURS_DAYS = keeping.days_of(env.str("PORTAL_KEEP_HOURS_DAYS", default="400"))
    keeping.check(KEEP_REQUESTS_DAYS, KEEP_HOURS_DAYS, past=INGEST_PAST_DAYS, grace=CLOSE_GRACE_DAYS)
except ValueError as _error:
    raise ImproperlyConfigured(str(_error)) from None

# Questions per minute and caller (key or person), see docs/api.md; who was quiet may ask ten minutes' worth at once.
QUERIES_PER_MINUTE = env.int("PORTAL_QUERIES_PER_MINUTE", default=60)
SUGGESTIONS_PER_MINUTE = env.int("PORTAL_SUGGESTIONS_PER_MINUTE", default=600)
THROTTLE_REDIS_URL = REDIS_URL  # counted there for all server processes; empty: each counts its own

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {name: {"level": "WARNING"} for name in ("axes", "fido2")}  # they tell of every sign-in
    | {"weasyprint": {"level": "ERROR"}},  # it tells of every page, and of letters that no font has
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
}
