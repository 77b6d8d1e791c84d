"""Every environment variable the platform reads, with its type and default.

Nothing else may touch `os.environ`. A faulty value stops the start, and all faults are listed at once.
`.env.example` is tested against this class.
"""

import re
from typing import Self
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

DEVELOPMENT_SECRET = "development-only-secret-refused-when-debug-is-off"  # noqa: S105
RAZORPAY = "https://api.razorpay.com"
CELL = re.compile(r"[a-z]{1,30}")
SANDBOX_KEY = "rzp_test_sandbox"  # how the keys of `python -m sandbox` begin


class Env(BaseSettings):
    """The environment, or the file `.env` beside manage.py."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    debug: bool = Field(default=False, description="Development and demo mode. Never on in production.")
    secret_key: SecretStr = Field(
        SecretStr(DEVELOPMENT_SECRET), description="Signs sessions, links and tokens. At least 50 random characters."
    )
    secret_key_fallbacks: SecretStr = Field(
        SecretStr(""), description="Comma-separated earlier SECRET_KEYs, still taken while a key is being replaced."
    )
    site_url: str = Field(
        "http://localhost:8000",
        description="The portal's address. Hospitals live on subdomains of its host: https://<slug>.<host>.",
    )
    allowed_hosts: str = Field(
        "*",
        description="Comma-separated. The star is safe: a host that is no hospital's is refused by our own middleware.",
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        description="How many proxies stand in front. Above 0, X-Forwarded-Proto and as many entries of X-Forwarded-For count.",
    )

    database_url: str = Field("", description="postgres://user:password@host:port/name. Wins over the DB_ names.")
    db_name: str = Field("rhms", description="Database name, when DATABASE_URL is not set.")
    db_user: str = Field("rhms", description="Database user, when DATABASE_URL is not set.")
    db_password: SecretStr = Field(SecretStr(""), description="Database password, when DATABASE_URL is not set.")
    db_host: str = Field("localhost", description="Database host, when DATABASE_URL is not set.")
    db_port: int = Field(5432, description="Database port, when DATABASE_URL is not set.")
    database_owner_url: str = Field(
        "",
        description="Who makes and migrates schemas, for `manage.py prepare` and its like. Empty: the same as the platform.",
    )
    database_is_pooled: bool = Field(
        default=False, description="The database is behind a pooler of transactions, such as PgBouncer."
    )
    cells: SecretStr = Field(
        SecretStr(""),
        description="Further databases for hospitals, like north=postgres://user:password@host/name south=...",
    )
    cell_owners: SecretStr = Field(
        SecretStr(""), description="Who makes and migrates schemas in each of CELLS, written in the same way."
    )
    cell_registry_url: SecretStr = Field(
        SecretStr(""),
        description="How the databases of CELLS reach this one: its address as they see it, with a login of their own.",
    )
    redis_url: str = Field("redis://localhost:6379/0", description="Broker, cache and rate limits.")

    email_url: str = Field(
        "console:",
        description="smtp://user:password@host:587/?tls=True in production, console: or file:////folder elsewhere.",
    )
    default_from_email: str = Field("RHMS <no-reply@localhost>", description="The From address of every message.")
    support_email: str = Field("support@localhost", description="Where hospitals write to when they have a question.")

    access_token_lifetime_minutes: int = Field(60, ge=1, description="How long an API access token lives.")
    refresh_token_lifetime_days: int = Field(7, ge=1, description="How long an API refresh token lives.")

    media_root: str = Field("var/media", description="Uploaded files, when no S3 bucket is configured.")
    s3_bucket: str = Field("", description="Bucket for uploaded files. Empty: local disk.")
    s3_endpoint_url: str = Field("", description="Endpoint of an S3-compatible service. Empty: AWS.")
    s3_region: str = Field("", description="Region of the bucket.")
    s3_access_key: str = Field("", description="Access key for the bucket. Empty: the machine's own role.")
    s3_secret_key: SecretStr = Field(SecretStr(""), description="Secret key for the bucket.")

    dns_servers: str = Field(
        "", description="Comma-separated host:port of resolvers for own-domain checks. Empty: the system's."
    )

    razorpay_key_id: str = Field("", description="The platform's own key to Razorpay. With it go the next two.")
    razorpay_key_secret: SecretStr = Field(SecretStr(""), description="The key's secret.")
    razorpay_webhook_secret: SecretStr = Field(SecretStr(""), description="Signs what Razorpay tells the platform.")
    razorpay_api_url: str = Field(RAZORPAY, description="Where Razorpay is. Another address only with DEBUG on.")

    @model_validator(mode="after")
    def _razorpay_is_whole_and_real(self) -> Self:
        """All of the platform's keys or none; no other Razorpay and no test money of a sandbox in production."""
        keys = (self.razorpay_key_id, self.razorpay_key_secret, self.razorpay_webhook_secret)
        given = [bool(key.get_secret_value() if isinstance(key, SecretStr) else key) for key in keys]
        if any(given) and not all(given):
            raise ValueError(
                "RAZORPAY_KEY_ID, RAZORPAY_KEY_SECRET and RAZORPAY_WEBHOOK_SECRET belong together: set all or none."
            )
        if not self.debug and self.razorpay_api_url.rstrip("/") != RAZORPAY:
            raise ValueError(f"RAZORPAY_API_URL must be {RAZORPAY} when DEBUG is off.")
        if not self.debug and self.razorpay_key_id.startswith(SANDBOX_KEY):
            raise ValueError(
                "RAZORPAY_KEY_ID is the sandbox's, whose money is none. Set Razorpay's own when DEBUG is off."
            )
        return self

    @model_validator(mode="after")
    def _cells_are_whole(self) -> Self:
        """Every cell has a name that can be one, an owner, and a way to the registry."""
        if faulty := [name for name in self.cell_urls if not CELL.fullmatch(name) or name in ("default", "owner")]:
            raise ValueError(f"CELLS: {', '.join(faulty)} cannot be the name of a cell. Take lower-case letters only.")
        if self.cell_urls.keys() != self.cell_owner_urls.keys():
            raise ValueError("CELLS and CELL_OWNERS must name the same cells.")
        if self.cell_urls and not self.cell_registry_url.get_secret_value():
            raise ValueError("CELL_REGISTRY_URL must be set when there are CELLS.")
        return self

    @model_validator(mode="after")
    def _production_is_serious(self) -> Self:
        """Production refuses default secrets and plain http."""
        if self.debug:
            return self
        secret = self.secret_key.get_secret_value()
        if secret == DEVELOPMENT_SECRET or len(secret) < 50:
            raise ValueError(
                "SECRET_KEY must be set to at least 50 random characters when DEBUG is off. Make one with: "
                "python -c 'import secrets; print(secrets.token_urlsafe(64))'"
            )
        if not self.email_url.startswith(("smtp", "submission")):
            raise ValueError(
                "EMAIL_URL must name a mail server when DEBUG is off, like smtp://user:password@host:587/?tls=True."
            )
        if "demo-only" in self.database + self.database_owner_url:
            raise ValueError(
                "The database's password is the demo's. Set DB_PASSWORD, and DB_OWNER_PASSWORD or DATABASE_OWNER_URL, "
                "when DEBUG is off."
            )
        if urlsplit(self.site_url).scheme != "https":
            raise ValueError("SITE_URL must start with https:// when DEBUG is off.")
        return self

    @property
    def cell_urls(self) -> dict[str, str]:
        """The address of each further cell, by its name."""
        return _named(self.cells)

    @property
    def cell_owner_urls(self) -> dict[str, str]:
        """The owner's address of each further cell, by its name."""
        return _named(self.cell_owners)

    @property
    def database(self) -> str:
        """One address for the database, whichever way it was given."""
        if self.database_url:
            return self.database_url
        password = quote(self.db_password.get_secret_value(), safe="")
        return f"postgres://{quote(self.db_user)}:{password}@{self.db_host}:{self.db_port}/{self.db_name}"


def _named(text: SecretStr) -> dict[str, str]:
    pairs = [entry.partition("=") for entry in text.get_secret_value().split()]
    return {name: value for name, _equals, value in pairs}


def load() -> Env:
    """Read the environment, or end the program with a list of everything that is wrong with it."""
    try:
        return Env()
    except ValidationError as faults:
        lines = [
            f"  {'.'.join(str(part) for part in fault['loc']).upper() or 'SETTINGS'}: {fault['msg']}"
            for fault in faults.errors()
        ]
        raise SystemExit("The environment is not complete:\n" + "\n".join(lines)) from None
