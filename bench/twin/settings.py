"""RHMS's settings with the middleware of a new Django project, and one of three ways to keep hospitals apart (BENCH_WAY).

`single`: all tables in one schema, and no hospitals. `stock`: django-tenants as it is shipped. `ours`: as RHMS does it.
"""

import os

from bench.settings import *  # noqa: F403
from bench.settings import DATABASES, INSTALLED_APPS

WAY = os.environ["BENCH_WAY"]
_ENGINE, _DOORMAN = {
    "single": ("django.db.backends.postgresql", []),
    "stock": ("django_tenants.postgresql_backend", ["django_tenants.middleware.main.TenantMainMiddleware"]),
    "ours": ("tenants.postgres", ["tenants.middleware.hospital_of_host"]),
}[WAY]

if WAY == "single":
    INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "django_tenants"]  # it insists on its router
DATABASES = {"default": DATABASES["default"] | {"ENGINE": _ENGINE}}
DATABASE_ROUTERS = [] if WAY == "single" else ["django_tenants.routers.TenantSyncRouter"]
ROOT_URLCONF = HOSPITAL_URLCONF = "bench.twin.urls"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SECURE_SSL_REDIRECT = False
MIDDLEWARE = [
    *_DOORMAN,
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
