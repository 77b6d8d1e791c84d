"""Django's settings: one file, fed by `rhms.env`."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
import django_stubs_ext
from django.utils.translation import gettext_lazy as _

from rhms.env import load

django_stubs_ext.monkeypatch()
env = load()
BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.debug
SECRET_KEY = env.secret_key.get_secret_value()
SECRET_KEY_FALLBACKS = [key.strip() for key in env.secret_key_fallbacks.get_secret_value().split(",") if key.strip()]
ALLOWED_HOSTS = [host.strip() for host in env.allowed_hosts.split(",")]

# The portal lives on this address, hospitals on its subdomains (core.hosts builds every absolute link from it).
SITE_URL = env.site_url.rstrip("/")
BASE_DOMAIN = urlsplit(SITE_URL).hostname or "localhost"

# --- Rooms -----------------------------------------------------------------------------------------------------------

SHARED_APPS = [
    "rhms.admin_site.Admin",  # before django_tenants, whose own version of its templates breaks the CSP
    "django_tenants",
    "tenants",
    "directory",
    "accounts",
    "notifications",
    "audit",
    "core",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",  # widgets whose template is not ours
    "rest_framework",
    "rest_framework_simplejwt",
    "drf_spectacular",
    "django_filters",
    "phonenumber_field",
    "django_htmx",
    # SimpleAppConfig: both packages would otherwise rewrite TEMPLATES, and the last one would win.
    "template_partials.apps.SimpleAppConfig",
    "django_cotton.apps.SimpleAppConfig",
]
TENANT_APPS = ["appointments", "billing", "patients", "hospitals", "notifications", "audit"]
INSTALLED_APPS = SHARED_APPS + [app for app in TENANT_APPS if app not in SHARED_APPS]

TENANT_MODEL = "tenants.Hospital"
TENANT_DOMAIN_MODEL = "tenants.Domain"
PUBLIC_SCHEMA_NAME = "public"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Money -----------------------------------------------------------------------------------------------------------

# The platform's own keys; a hospital may bring its own. Without keys nothing is paid online.
RAZORPAY_KEY_ID = env.razorpay_key_id
RAZORPAY_KEY_SECRET = env.razorpay_key_secret.get_secret_value()
RAZORPAY_WEBHOOK_SECRET = env.razorpay_webhook_secret.get_secret_value()
RAZORPAY_API_URL = env.razorpay_api_url.rstrip("/")
RAZORPAY_CHECKOUT_URL = f"{RAZORPAY_API_URL}/v1/checkout/embedded"

# --- Requests --------------------------------------------------------------------------------------------------------

ROOT_URLCONF = "rhms.urls_portal"  # a hospital's host gets rhms.urls_hospital, see tenants.middleware
HOSPITAL_URLCONF = "rhms.urls_hospital"
WSGI_APPLICATION = "rhms.wsgi.application"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.middleware.request_context",
    "tenants.middleware.hospital_of_host",
    "core.middleware.error_pages",
    "django.middleware.gzip.GZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "accounts.middleware.SessionOfPlace",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.seen",
    "accounts.middleware.acting",
    "hospitals.middleware.staff_of_request",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "core.middleware.refusals",
]

_LOADERS = [
    "django_cotton.cotton_loader.Loader",
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
_CACHED = _LOADERS if DEBUG else [("django.template.loaders.cached.Loader", _LOADERS)]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "loaders": [("template_partials.loader.Loader", _CACHED)],
            "builtins": [
                "django_cotton.templatetags.cotton",
                "template_partials.templatetags.partials",
                "core.templatetags.ui",
                "django.templatetags.i18n",
                "django.templatetags.static",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tenants.context.brand",
                "hospitals.context.shell",
            ],
        },
    }
]
FORM_RENDERER = "core.forms.Renderer"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'", RAZORPAY_API_URL],  # the checkout is a form that goes there
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"  # links with one-time tokens must not leak
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = not DEBUG
# The orchestrator asks over plain http, from inside.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
if env.trusted_proxies:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
TRUSTED_PROXIES = env.trusted_proxies

# Cookies are host-only: a hospital never sees another's, nor the portal's. A copied one finds no session there either.
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_DOMAIN = None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
CSRF_COOKIE_SECURE = not DEBUG
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "core.views.csrf_failure"

# --- Data ------------------------------------------------------------------------------------------------------------

_SERVER = {
    "CONN_MAX_AGE": 60,
    "CONN_HEALTH_CHECKS": True,
    "ATOMIC_REQUESTS": False,
}


def _logins(cell: str, owner: str, *, url: str, owner_url: str) -> dict[str, dict[str, Any]]:
    """The two ways to a database of hospitals.

    `cell` may do nothing but take the role of the place it works for. `owner` makes and migrates schemas
    (core.schemas.as_owner); web servers and workers never use it.
    """
    platform = {**dj_database_url.parse(url, engine="tenants.postgres"), **_SERVER}
    if env.database_is_pooled:
        # Cursors on the server live in a session, which is not ours behind a pooler of transactions.
        platform |= {"IS_POOLED": True, "DISABLE_SERVER_SIDE_CURSORS": True}
    made = {**dj_database_url.parse(owner_url, engine="tenants.postgres"), **_SERVER}
    return {cell: platform, owner: made | {"CONN_MAX_AGE": 0, "SWITCHES_ROLE": False}}


DATABASES = _logins("default", "owner", url=env.database, owner_url=env.database_owner_url or env.database)
# Hospitals that do not live in the registry's own database live in one of these (docs/growth.md).
CELLS = list(env.cell_urls)
for _cell, _url in env.cell_urls.items():
    DATABASES |= _logins(_cell, f"{_cell}_owner", url=_url, owner_url=env.cell_owner_urls[_cell])
CELL_OF_SCHEMA = "tenants.hosts.cell_of"  # asked by core.schemas
SCHEMA_STANDING = "tenants.hosts.standing"  # asked by core.schemas
# How the databases of cells reach the registry's shared tables.
CELL_REGISTRY = dj_database_url.parse(env.cell_registry_url.get_secret_value()) if CELLS else {}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.redis_url,
        "KEY_PREFIX": "rhms",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}
REDIS_URL = env.redis_url

# --- People ----------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "start"
PASSWORD_RESET_TIMEOUT = 60 * 60 * 2
# A superadmin's power needs a second factor. The demo has nobody to hold one.
TWO_FACTOR_FOR_SUPERADMINS = not DEBUG

# --- API -------------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.tokens.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.Undeclared"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "core.rest.Pagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "core.openapi.Schema",
    "EXCEPTION_HANDLER": "core.rest.exception_handler",
    "PAGE_SIZE": 10,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=env.access_token_lifetime_minutes),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=env.refresh_token_lifetime_days),
    "USER_ID_FIELD": "code",
    "USER_ID_CLAIM": "sub",  # rotation, replays and sign-out: accounts.tokens
}
SPECTACULAR_SETTINGS = {
    "TITLE": "RHMS API",
    "DESCRIPTION": "Many hospitals, one platform. Hospital-bound paths answer on the hospital's own host.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["accounts.permissions.Public"],
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api/",
    "ENUM_NAME_OVERRIDES": {
        "IndianState": "tenants.states.State.choices",
        "MessageState": "notifications.models.State.choices",
        "VisitKind": "core.visits.VisitKind.choices",
        "VisitKindAsked": "appointments.serializers.visits.KINDS",
        "DocumentKind": "hospitals.models.DoctorDocument.Kind",
        "HoursKind": "appointments.models.Availability.Kind",
        "PaperKind": "billing.serializers.own.PAPERS",
        "BillStatus": "billing.models.invoices.Status",
        "ClaimStatus": "billing.models.insurance.ClaimStatus",
        "RefundStatus": "billing.models.refunds.RefundStatus",
        "GatewayPaymentStatus": "billing.models.payments.PaymentStatus",
        "PaymentMethod": "billing.models.Method",
        "CashDayStatus": "billing.models.CashDay.Status",
        "ReportKind": "billing.models.Report.Kind",
        "VisitPaymentStatus": "appointments.models.Appointment.PaymentStatus",
    },
}

# --- Background work -------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.redis_url
CELERY_TASK_IGNORE_RESULT = True
# Each cell has workers of its own (`--queues north`). A worker that is not told whose it is takes everybody's tasks.
CELERY_TASK_QUEUES = {name: {"exchange": name, "routing_key": name} for name in ["celery", *CELLS]}
CELERY_TASK_ROUTES = ["tenants.cells.workers_of"]
CELERY_TASK_ACKS_LATE = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A dead broker must not hold up a page: no second try, beat sweeps what was not sent.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {"socket_connect_timeout": 1, "socket_timeout": 5, "max_retries": 0}
CELERY_TIMEZONE = "UTC"
_PUBLIC = {"kwargs": {"schema": PUBLIC_SCHEMA_NAME}}  # where a task of the clock begins: it names its place, too
CELERY_BEAT_SCHEDULE = {
    "sweep the outbox": {"task": "notifications.sweep", "schedule": 30.0, **_PUBLIC},
    "forget what has expired": {"task": "accounts.forget_expired", "schedule": 3600.0, **_PUBLIC},
    "keep free times true": {"task": "appointments.refresh_stale", "schedule": 60.0, **_PUBLIC},
    "release holds that ran out": {"task": "appointments.release_holds", "schedule": 60.0, **_PUBLIC},
    "give up visits nobody pays": {"task": "appointments.release_unpaid", "schedule": 60.0, **_PUBLIC},
    "sweep money": {"task": "billing.sweep", "schedule": 60.0, **_PUBLIC},
    "sweep reports": {"task": "billing.sweep_reports", "schedule": 60.0, **_PUBLIC},
    "drop old reports": {"task": "billing.drop_reports", "schedule": 3600.0, **_PUBLIC},
    "compare the gateway with the books": {"task": "billing.reconcile", "schedule": 3 * 3600.0, **_PUBLIC},
    "remind of visits": {"task": "appointments.remind", "schedule": 60.0, **_PUBLIC},
    "write to doctors in the morning": {"task": "appointments.morning_lists", "schedule": 300.0, **_PUBLIC},
    "keep waitlists moving": {"task": "appointments.waitlists", "schedule": 60.0, **_PUBLIC},
    "drop forgotten uploads": {"task": "core.drop_forgotten_uploads", "schedule": 3600.0, **_PUBLIC},
}

# --- Messages --------------------------------------------------------------------------------------------------------

_email = dj_email_url.parse(env.email_url)
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST = _email.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(_email.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(_email.get("EMAIL_USE_SSL"))
EMAIL_FILE_PATH = _email.get("EMAIL_FILE_PATH") or None
EMAIL_TIMEOUT = 10
# Who makes the documents that go with messages, given the code of what they show.
MESSAGE_ATTACHMENTS = {
    "bill": "billing.services.printing.bill_file",
    "receipt": "billing.services.printing.receipt_file",
    "credit_note": "billing.services.printing.credit_note_file",
}
DEFAULT_FROM_EMAIL = env.default_from_email
SUPPORT_EMAIL = env.support_email
SERVER_EMAIL = env.default_from_email

# --- Files -----------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = BASE_DIR / env.media_root
_LOCAL = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
_S3 = {
    "BACKEND": "storages.backends.s3.S3Storage",
    "OPTIONS": {
        "bucket_name": env.s3_bucket,
        "endpoint_url": env.s3_endpoint_url or None,
        "region_name": env.s3_region or None,
        "access_key": env.s3_access_key or None,
        "secret_key": env.s3_secret_key.get_secret_value() or None,
        "default_acl": "private",
        "file_overwrite": False,
    },
}
STORAGES = {
    "default": _S3 if env.s3_bucket else _LOCAL,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
FILE_UPLOAD_MAX_MEMORY_SIZE = 6 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# --- Language and time -----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", _("English"))]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Kolkata"  # shown on the portal; stored times are UTC, a hospital's pages use its own zone
PHONENUMBER_DEFAULT_REGION = "IN"
PHONENUMBER_DB_FORMAT = "E164"
DNS_SERVERS = [server.strip() for server in env.dns_servers.split(",") if server.strip()]

# --- Logs ------------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "core.logs.Context"}},
    "formatters": {"line": {"format": "{levelname} {name} [{hospital} {request_id}] {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["context"]}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "pypdf": {"level": "ERROR"},  # what it repairs in somebody's file is of no interest
    },
}
