"""Every setting of Tallyman, read top-down; values come from the environment or `.env` (`.env.example`)."""

import os
import sys
from decimal import Decimal
from email.utils import formataddr
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP
from kombu import Exchange, Queue
from redis.backoff import NoBackoff
from redis.retry import Retry

from config import embedded, logs
from config.branding import UNFOLD  # noqa: F401 - the admin reads it from here
from tasks.schedule import beat_schedule

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")


def _port(variable: str, default: int) -> int:
    text = env.str(variable, default=str(default))
    if not (text.isdecimal() and 0 < int(text) < 65_536):
        raise ImproperlyConfigured(f"{variable} must be a port from 1 to 65535, not `{text}`.")
    return int(text)


# --- Where the data lives --------------------------------------------------------------------------------
# Without URLs of its own, Tallyman uses the servers that `make up` runs below DATA_DIR (docs/adr/0001).
DATA_DIR = embedded.data_dir(env.str("TALLYMAN_DATA_DIR", default=None), BASE_DIR)
DATABASES = {
    "default": {
        **env.db_url("DATABASE_URL", default=embedded.database_url(DATA_DIR)),
        # Workers and web keep their connection: a lease names the backend that does the work.
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=600),
        "CONN_HEALTH_CHECKS": True,
    }
}
REDIS_URL = env.str("REDIS_URL", default=embedded.broker_url(DATA_DIR))
EMAIL_URL = env.str("EMAIL_URL", default=embedded.mail_url(DATA_DIR))
globals().update(env.email_url_config(EMAIL_URL))
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=20)
MAIL_RATE = env.float("MAIL_RATE", default=0)  # mails a second, of all workers together; 0: as many as go
MAIL_CONNECTIONS = env.int("MAIL_CONNECTIONS", default=10)  # to the mail server at a time
MAIL_PER_CONNECTION = env.int("MAIL_PER_CONNECTION", default=100)  # servers end those that carry many
MAIL_ROUND_SECONDS = env.float("MAIL_ROUND_SECONDS", default=5)  # then a worker's other jobs have their turn
MAIL_ATTEMPTS = env.int("MAIL_ATTEMPTS", default=40)  # their growing pauses last for more than two hours
# A mail server that failed so often in a row is left in peace so long (seconds), twice as long each time.
MAIL_FAILURES = env.int("MAIL_FAILURES", default=3)
MAIL_PAUSE_SECONDS = env.float("MAIL_PAUSE_SECONDS", default=5)
# A provider's API instead of SMTP, by anymail's name of it; anymail's own settings begin with ANYMAIL_.
EMAIL_PROVIDER = env.str("EMAIL_PROVIDER", default="")
ANYMAIL: dict[str, Any] = {
    name.removeprefix("ANYMAIL_"): text for name, text in os.environ.items() if name.startswith("ANYMAIL_")
}
if EMAIL_PROVIDER:
    EMAIL_BACKEND = f"anymail.backends.{EMAIL_PROVIDER}.EmailBackend"
    ANYMAIL |= {"REQUESTS_TIMEOUT": EMAIL_TIMEOUT, "DEBUG_API_REQUESTS": False}
SHOP_NAME = env.str("SHOP_NAME", default="Tallyman")
# What mails look like: #rrggbb, on light and on dark; an https address of a picture, or else the name alone.
SHOP_COLOUR = env.str("SHOP_COLOUR", default="#026d71")
SHOP_COLOUR_DARK = env.str("SHOP_COLOUR_DARK", default="#54baba")
SHOP_LOGO = env.str("SHOP_LOGO", default="")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=formataddr((SHOP_NAME, "tallyman@localhost")))
SHOP_EMAIL = env.str("SHOP_EMAIL", default="shop@localhost")  # who reads the shop's mail
# Bare addresses, told of imports that have no owner; when empty, the superusers are, or else SHOP_EMAIL.
IMPORT_MAIL_TO = env.list("IMPORT_MAIL_TO", default=[])
MEDIA_ROOT, MEDIA_URL = DATA_DIR / "media", "/media/"  # the shop serves the products' pictures, nothing else
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

# --- Django ----------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default=None) or embedded.secret_key(DATA_DIR)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PORT = _port("PORT", 8000)
FLOWER_PORT = _port("FLOWER_PORT", 5555)
# Where links in mails and on the terminal point to.
SITE_URL = env.str("SITE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
FLOWER_URL = env.str("FLOWER_URL", default=f"http://127.0.0.1:{FLOWER_PORT}").rstrip("/")
_IS_HTTPS = SITE_URL.startswith("https:")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _IS_HTTPS  # never sent in the clear by a site with HTTPS
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)  # proxies of ours before the web server
# Without a proxy that sets this header, a visitor could.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _IS_HTTPS and TRUSTED_PROXY_COUNT else None
# Only where that header tells HTTPS from HTTP: else each visitor would be led in a circle.
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=SECURE_PROXY_SSL_HEADER is not None)
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # asked by probes and Prometheus, past the proxy
# How long browsers that came by HTTPS refuse to come without. What they were told can't be taken back, so an
# hour at first; a year (31536000) once the certificate is known to be renewed.
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=3600)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
# Whether to bind other names below the domain, and for good, is its owner's choice and not a lack.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
LOW_STOCK = env.int("LOW_STOCK", default=5)  # from here down to 1, the admin calls a stock low

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_celery_beat",
    "django_celery_results",
    "django_htmx",
    "django_structlog",
    "config",
    "tasks",
    "monitoring",
    "shop",
    "imports",
    "notifications",
    # Last, so that it hears of an event last: it locks the counter of numbers, and others would wait while
    # the event's mails are written.
    "invoices",
    "reports",
]
MIDDLEWARE = [
    "django_structlog.middlewares.RequestMiddleware",  # first, so that every line has the request's id
    "monitoring.timing.timing",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "config.policies.own_policies",
    "monitoring.probes.probes",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.languages.ReadersLanguage",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.staff_mfa.second_factor",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
                "shop.context.shop",
            ]
        },
    }
]
# What the storefront's pages may load and do: what is ours, and pictures of products from wherever they are.
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF, "https:", "http:"],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
# Unfold's pages have styles and scripts inside, and Alpine evaluates expressions.
ADMIN_CSP = SECURE_CSP | {
    "script-src": [CSP.SELF, CSP.UNSAFE_INLINE, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "img-src": [CSP.SELF, "data:"],
    "font-src": [CSP.SELF],
}
# A page of the account shows a QR code that is not a file of ours.
QR_CSP = SECURE_CSP | {"img-src": [CSP.SELF, "data:"]}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "shop:account"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"  # of the admin, and of whoever reads none of these:
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("ar", "العربية")]
LOCALE_PATHS = [BASE_DIR / "locale"]  # docs/languages.md
MAIL_LANGUAGES = [code for code, _ in LANGUAGES]  # of mails to customers; all others get LANGUAGE_CODE
LANGUAGE_COOKIE_AGE = 365 * 86_400
LANGUAGE_COOKIE_HTTPONLY, LANGUAGE_COOKIE_SAMESITE, LANGUAGE_COOKIE_SECURE = True, "Lax", _IS_HTTPS
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
STATIC_URL = "static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=None)  # only where a web server of its own serves them
STATICFILES_DIRS = [BASE_DIR / "static"]
# Development and `make up` serve static files straight from the apps: nothing to collect, nothing stale.
WHITENOISE_USE_FINDERS = True
# Uploads stream to a file of their own (imports/receiving.py); Django must not keep them in memory.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]

# --- What pages keep in Redis (shop/caching.py), and who tried to log in how often ------------------------
# Short time-outs and no second attempt: a page is made anew sooner than a dead Redis is waited for.
_REDIS_CACHE: dict[str, Any] = {
    "LOCATION": env.str("CACHE_URL", default=REDIS_URL),
    "KEY_PREFIX": "tallyman",
    "OPTIONS": {"socket_connect_timeout": 0.25, "socket_timeout": 0.25, "retry": Retry(NoBackoff(), 0)},
}
CACHES = {
    # Asked by allauth, which expects an answer: while Redis is dead, each process counts by itself.
    "default": {**_REDIS_CACHE, "BACKEND": "config.cache.RedisElseMemory"},
    # The shop's pages do without it by themselves.
    "pages": {**_REDIS_CACHE, "BACKEND": "django.core.cache.backends.redis.RedisCache"},
}

# --- Celery: Redis carries only hints (docs/adr/0002) -----------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_DEFAULT_QUEUE = "default"
# Each queue with an exchange and key of its own: by default all share one, and each gets every message.
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name)
    for name in (
        "default",  # sweeps and housekeeping: short, must never wait behind an import
        "imports",  # catalogue chunks: heavy on PostgreSQL, seconds each
        "mail",  # waits on foreign servers (SMTP, payment providers), so it must not hold up the others
        "reports",  # long reads, and PDFs
        "search",  # follows imports, and may be behind
    )
]
CELERY_TASK_CREATE_MISSING_QUEUES = False  # a misspelt queue must fail loudly, no worker would serve it
CELERY_TASK_ACKS_LATE = True  # a killed worker's message comes back; doing it twice is harmless by the lease
CELERY_WORKER_PREFETCH_MULTIPLIER = 1  # one slow chunk must not hold others that an idle worker could take
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]  # pickle would execute what the broker sends
CELERY_TASK_TIME_LIMIT = env.int("TASK_TIME_LIMIT", default=900)
CELERY_TASK_SOFT_TIME_LIMIT = env.int("TASK_SOFT_TIME_LIMIT", default=840)
CELERY_WORKER_MAX_MEMORY_PER_CHILD = env.int("WORKER_MAX_MEMORY_KB", default=400_000)  # a leak ends itself
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10.0  # a running chunk may finish before a deploy ends its worker
CELERY_WORKER_SEND_TASK_EVENTS = True  # Flower sees nothing without
CELERY_TASK_SEND_SENT_EVENT = True
CELERY_TASK_TRACK_STARTED = True  # the history shows what is at work, not only what has ended
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # structlog formats every line, the worker's too
# Without, Celery closes the connection around every task, whatever CONN_MAX_AGE says: opening one and warming
# its caches costs as much as a small job. `config.celery` drops those that broke or are too old.
CELERY_DB_REUSE_MAX = sys.maxsize
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlives any outage of the broker
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,  # longer than any task may run, or Redis hands it out again meanwhile
    "socket_timeout": 10,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 10,
    # How long a sender tries to connect: by default kombu goes on for six seconds, and a request with it.
    "max_retries": 1,
    "interval_start": 0.1,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
# A hint must not hold up the request that sends it: the row is safe and the sweeper will send another.
CELERY_TASK_PUBLISH_RETRY = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.1}
CELERY_RESULT_BACKEND = "django-db"  # a history for people; the truth is tasks.Job
CELERY_RESULT_EXTENDED = True  # names and arguments, so that the history can be read
CELERY_RESULT_EXPIRES = env.int("RESULT_RETENTION_DAYS", default=14) * 86_400
CELERY_TIMEZONE = TIME_ZONE
CELERY_ENABLE_UTC = True
CELERY_BEAT_SYNC_EVERY = 1  # writes each sending down: by default up to three minutes pass, and none is known
CELERY_BEAT_SCHEDULER = "monitoring.scheduler:Scheduler"
DJANGO_CELERY_RESULTS_TASK_ID_MAX_LENGTH = 191

# --- The job engine (tasks) -------------------------------------------------------------------------------
JOB_LEASE_SECONDS = env.float("JOB_LEASE_SECONDS", default=30)  # a silent worker's job is taken over after
JOB_HINT_PATIENCE_SECONDS = env.float("JOB_HINT_PATIENCE_SECONDS", default=10)  # a hint older counts as lost
JOB_SWEEP_SECONDS = env.float("JOB_SWEEP_SECONDS", default=15)
JOB_RETRY_BASE_SECONDS = env.float("JOB_RETRY_BASE_SECONDS", default=2)  # doubles with every attempt
JOB_RETENTION_DAYS = env.int("JOB_RETENTION_DAYS", default=30)
PAYMENT_SETTLE_SECONDS = env.float("PAYMENT_SETTLE_SECONDS", default=30)  # between looks at unfinished ones
REPORT_TICK_SECONDS = env.float("REPORT_TICK_SECONDS", default=60)  # between looks at what falls due
CELERY_BEAT_SCHEDULE = beat_schedule(
    sweep_seconds=JOB_SWEEP_SECONDS,
    payment_seconds=PAYMENT_SETTLE_SECONDS,
    report_seconds=REPORT_TICK_SECONDS,
)

# --- Monitoring (docs/operations.md) ----------------------------------------------------------------------
METRICS_ENABLED = env.bool("METRICS_ENABLED", default=True)
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # what Prometheus shows at /metrics; staff need none
HEARTBEAT_SECONDS = env.float("HEARTBEAT_SECONDS", default=5)  # between two, of each process
HEARTBEAT_PATIENCE_SECONDS = env.float("HEARTBEAT_PATIENCE_SECONDS", default=12)  # silent for longer: gone
# Alerts are mailed to these, else to the superusers, or else to SHOP_EMAIL; and posted to the webhook.
ALERT_MAIL_TO = env.list("ALERT_MAIL_TO", default=[])
ALERT_WEBHOOK_URL = env.str("ALERT_WEBHOOK_URL", default="")
ALERT_AFTER_SECONDS = env.float("ALERT_AFTER_SECONDS", default=5)  # not well for so long: told
ALERT_GRACE_SECONDS = env.float("ALERT_GRACE_SECONDS", default=60)  # … or so long, after processes began
ALERT_CLEAR_SECONDS = env.float("ALERT_CLEAR_SECONDS", default=30)  # well for so long: over, and told
# What is not well, for `/readyz` and alerts.
ALERT_OLDEST_JOB_SECONDS = env.float("ALERT_OLDEST_JOB_SECONDS", default=900)  # it waits, though due
ALERT_DISK_FREE_PERCENT = env.float("ALERT_DISK_FREE_PERCENT", default=5)  # less than
ALERT_DEAD_LETTERS = env.int("ALERT_DEAD_LETTERS", default=0)  # more than
ALERT_FAILURE_PERCENT = env.float("ALERT_FAILURE_PERCENT", default=20)  # of the jobs of ten minutes, and five

# --- Imports ----------------------------------------------------------------------------------------------
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_BYTES", default=4 * 1024**3)
IMPORT_CHUNK_BYTES = env.int("IMPORT_CHUNK_BYTES", default=4_500_000)
IMPORT_RANGE_ROWS = env.int("IMPORT_RANGE_ROWS", default=25_000)
IMPORT_DRAFT_DAYS = env.int("IMPORT_DRAFT_DAYS", default=7)  # an upload that nobody confirmed is kept so long
# A preview warns of more than so much (docs/importing.md); several times as much takes a second person.
IMPORT_WARN_REJECTED_PERCENT = env.float("IMPORT_WARN_REJECTED_PERCENT", default=5.0)  # of the rows
IMPORT_WARN_PRICE_PERCENT = env.float("IMPORT_WARN_PRICE_PERCENT", default=50.0)  # up or down …
IMPORT_WARN_PRICE_ROWS = env.int("IMPORT_WARN_PRICE_ROWS", default=0)  # … in so many products
IMPORT_WARN_ZERO_STOCK_PERCENT = env.float("IMPORT_WARN_ZERO_STOCK_PERCENT", default=10.0)  # of those touched
IMPORT_WARN_UNPUBLISH_PERCENT = env.float("IMPORT_WARN_UNPUBLISH_PERCENT", default=5.0)  # of the catalogue
IMPORT_WARN_NEW_CATEGORIES = env.int("IMPORT_WARN_NEW_CATEGORIES", default=20)
IMPORT_SECOND_PERSON_FACTOR = env.float("IMPORT_SECOND_PERSON_FACTOR", default=3.0)
# File, journal and lists of rows of an import are kept so long after its end; without them, no undo.
IMPORT_RETENTION_DAYS = env.int("IMPORT_RETENTION_DAYS", default=180)

# --- Orders -----------------------------------------------------------------------------------------------
# The store's one currency. Of the prices that an import's file has in several, those in this one are taken.
STORE_CURRENCY = env.str("STORE_CURRENCY", default="EUR")
# Where the table of tax rates has none for an address.
TAX_PERCENT = Decimal(env.str("TAX_PERCENT", default="8"))
PRICES_INCLUDE_TAX = env.bool("PRICES_INCLUDE_TAX", default=False)  # else tax is added at checkout
# An unpaid order holds its stock so long: short, or carts that nobody pays empty the shop …
ORDER_PAYMENT_MINUTES = env.int("ORDER_PAYMENT_MINUTES", default=60)
ORDER_INVOICE_DAYS = env.int("ORDER_INVOICE_DAYS", default=14)  # … but a bank transfer takes days
CART_RETENTION_DAYS = env.int("CART_RETENTION_DAYS", default=60)  # a session's cart that nobody came back to
# Mails that customers ask for (docs/notifications.md).
ABANDONED_CART_HOURS = env.float("ABANDONED_CART_HOURS", default=24)  # a cart untouched so long was left
SUBSCRIPTION_CONFIRM_DAYS = env.int("SUBSCRIPTION_CONFIRM_DAYS", default=7)  # not confirmed by then: removed
SUBSCRIPTION_DAYS = env.int("SUBSCRIPTION_DAYS", default=365)  # so long after asking, whatever came of it

# --- Payments (docs/payments.md) --------------------------------------------------------------------------
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
STRIPE_API_URL = env.str("STRIPE_API_URL", default="https://api.stripe.com")
# What the checkout offers, in this order. The test card gives goods for nothing: not unless it is named.
PAYMENT_METHODS = env.list(
    "PAYMENT_METHODS",
    default=(["stripe"] if STRIPE_SECRET_KEY else []) + (["test-card"] if DEBUG else []) + ["invoice"],
)
BANK_ACCOUNT = env.str("BANK_ACCOUNT", default="")  # where transfers go to, as an order's page shows it
PAYMENT_TIMEOUT_SECONDS = env.float("PAYMENT_TIMEOUT_SECONDS", default=15)  # of each question to a provider
# A payment or refund without an end after so long is asked about, then after twice as long, and so on.
PAYMENT_PATIENCE_SECONDS = env.float("PAYMENT_PATIENCE_SECONDS", default=60)
WEBHOOK_TOLERANCE_SECONDS = env.int("WEBHOOK_TOLERANCE_SECONDS", default=300)  # a signature older is refused
TEST_CARD_BOOKS = DATA_DIR / "test-card.sqlite3"  # what its provider remembers
TEST_CARD_LATE_SECONDS = env.float("TEST_CARD_LATE_SECONDS", default=4)  # what its slow answers take
TEST_CARD_WEBHOOK_SECRET = env.str("TEST_CARD_WEBHOOK_SECRET", default=f"test card {SECRET_KEY}")

# --- Invoices (docs/invoices.md) --------------------------------------------------------------------------
# Who sells, as invoices say it; each keeps what was here when it was issued.
SELLER_NAME = env.str("SELLER_NAME", default=SHOP_NAME)
SELLER_ADDRESS = env.str("SELLER_ADDRESS", default="", multiline=True)  # lines, parted by \n
SELLER_VAT_ID = env.str("SELLER_VAT_ID", default="")
INVOICE_PREFIX = env.str("INVOICE_PREFIX", default="INV-")  # before the number
CREDIT_NOTE_PREFIX = env.str("CREDIT_NOTE_PREFIX", default="CN-")
INVOICE_MAIL = env.str("INVOICE_MAIL", default="attach")
if INVOICE_MAIL not in ("attach", "link", "none"):
    raise ImproperlyConfigured(f"INVOICE_MAIL must be attach, link or none, not `{INVOICE_MAIL}`.")

# --- Reports (docs/report_schedules.md) -------------------------------------------------------------------
REPORT_RETENTION_DAYS = env.int("REPORT_RETENTION_DAYS", default=90)  # files; what was reported stays listed
REPORT_PAGE_SECONDS = env.float("REPORT_PAGE_SECONDS", default=8.0)  # what takes longer is made by a worker
REPORT_DOWNLOAD_LINES = env.int("REPORT_DOWNLOAD_LINES", default=50_000)  # longer ones are made by a worker
REPORT_ATTACH_BYTES = env.int("REPORT_ATTACH_BYTES", default=5_000_000)  # a mail's files; more are linked

# --- Accounts (django-allauth, docs/accounts.md) ----------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",  # staff, by user name
    "allauth.account.auth_backends.AuthenticationBackend",  # everybody, by e-mail
]
ACCOUNT_ADAPTER = "config.account_adapter.AccountAdapter"
MFA_ADAPTER = "config.account_adapter.MFAAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
# `mandatory`: no login before the link in the mail was followed; `none`: no such mail. Whichever it is, only
# orders of a verified address are shown.
ACCOUNT_EMAIL_VERIFICATION = env.str("EMAIL_VERIFICATION", default="optional")
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # or anybody could have us write to strangers
ACCOUNT_EMAIL_NOTIFICATIONS = True  # the owner hears of a new password or second factor
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_USER_DISPLAY = "config.account_adapter.display"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _IS_HTTPS else "http"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = False  # the link may have been forwarded
# Mails that anybody may ask for at any address: few from one place, and fewer to one address.
ACCOUNT_RATE_LIMITS = {"subscribe": "20/h/ip", "subscribe_address": "5/d/key"}
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "shop:home"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300  # seconds: for a while after it, the password is not asked again
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT  # else all visitors would share the proxy's rate limits
MFA_TOTP_ISSUER = SHOP_NAME
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
STAFF_MFA_REQUIRED = env.bool("STAFF_MFA_REQUIRED", default=False)  # no admin without a second factor

# --- Logs (config/logs.py) --------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = logs.configure(level=LOG_LEVEL, style=env.str("LOG_FORMAT", default="auto"))
# The ids go from a request to its tasks with the messages. No addresses of visitors, nor who is logged in:
# the first are personal data, the second would be asked of the database at every request.
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_USER_ID_FIELD = ""
SLOW_REQUEST_SECONDS = env.float("SLOW_REQUEST_SECONDS", default=1)  # an answer that takes longer is logged
logs.report_to_sentry(
    env.str("SENTRY_DSN", default=""),
    environment=env.str("SENTRY_ENVIRONMENT", default=""),
    release=env.str("SENTRY_RELEASE", default=""),
)
