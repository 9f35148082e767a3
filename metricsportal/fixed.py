"""Settings that no environment changes: language, passwords, tasks, the API and its description, axes and allauth."""

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "teams.authentication.KeyAuthentication",
        "teams.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["teams.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "analytics.api.problems.handle",
    "URL_FORMAT_OVERRIDE": None,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Metrics portal API",
    "DESCRIPTION": "Aggregates of LLM requests: performance, usage and cost.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "POSTPROCESSING_HOOKS": ["analytics.api.schema.ingest.add_ingest"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# The account behind axes counts; whatever asks for a password goes past axes first.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_HANDLER = "teams.lockout.Counter"
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]  # in the order in which the handler reads them
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "teams.lockout.account_name"
AXES_CLIENT_IP_CALLABLE = "teams.lockout.client_address"
AXES_LOCKOUT_CALLABLE = "teams.lockout.locked"
AXES_RESET_ON_SUCCESS = True
# What is refused unseen is not counted: who goes on trying must not keep the owner out for ever.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_DISABLE_ACCESS_LOG = True  # who signed in when is nobody's business here
AXES_ENABLE_ADMIN = False  # its tables belong to no organization
AXES_VERBOSE = False
# What was typed is not kept beside the count.
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code", "credential", "old_password", "csrfmiddlewaretoken"]

# Of allauth the parts below its views: OpenID Connect on the wire, second factors. None of its pages is routed.
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
SOCIALACCOUNT_ADAPTER = "teams.oidc.transport.Adapter"
MFA_ADAPTER = "teams.services.factors.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Metrics portal"
MFA_TOTP_TOLERANCE = 1  # clocks of telephones may be half a minute off

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 1500
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_ENABLE_UTC = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
