"""Settings, read from the environment. Everything has a default that works for a trial on one machine.

``ATTEST_ENV=production`` refuses what only suits a trial: SQLite, DEBUG, the built-in secret key.

=========================  =======================================================  ==========================
variable                   meaning                                                  default
=========================  =======================================================  ==========================
ATTEST_ENV                 ``demo`` or ``production``                               demo
ATTEST_DATA                folder of the SQLite file, images and maps               var/ in the project
DATABASE_URL               ``postgres://user:password@host/name`` or ``sqlite:///`` SQLite in ATTEST_DATA
SECRET_KEY                 signs sessions and raters' links                         a fixed one, demo only
ENCRYPTION_KEYS            Fernet keys of what is stored encrypted, newest first    made from SECRET_KEY
ATTEST_SECOND_FACTOR       admins and researchers must have one to go on            off, production on
ATTEST_SITE                address of the site in links of mails and commands       http://localhost:8000
ATTEST_CONTACT             e-mail for raters' questions, on the privacy page        none
ALLOWED_HOSTS              comma-separated host names                               localhost, 127.0.0.1, [::1]
CSRF_TRUSTED_ORIGINS       comma-separated origins, with scheme                     none
ATTEST_TOUR                the demo's guided tour; signs in its researcher          off, ``manage.py demo`` on
DEBUG                      Django's debug pages                                     off
CELERY_BROKER_URL          Redis that wakes the generation workers                  redis://127.0.0.1:6379/0
ATTEST_MODEL               model of new studies: shipped name, folder or hub id     tinyworld
ATTEST_NEEDS_GPU           a worker that sees no GPU ends, and draws nothing        off
PROLIFIC_TOKEN             token of Prolific's API; pays raters from there          none
PROLIFIC_WEBHOOK_SECRET    secret of Prolific's events                              none
PROLIFIC_API               address of Prolific's API                                that of Prolific
CACHE_URL                  cache of hints and throttles, ``rediscache://...``       in each process
PROXIES                    proxies in front that set X-Forwarded-For                0, production 1
ATTEST_JOIN_RATE           consents in the browser from one address                 600/hour
ATTEST_UPLOAD_RATE         imports in the browser by one account                    60/hour
ATTEST_ENROLMENT_RATE      enrolments by the API from one address                   60/hour
ATTEST_RATER_RATE          requests to the API by one rater                         600/min
ATTEST_RESEARCHER_RATE     requests to the API by one researcher's account          1200/min
ATTEST_WEBHOOKS_ANYWHERE   webhooks may go to this machine, its network, over http  on, production off
ATTEST_LANGUAGE_PIPELINE   spaCy pipeline or folder that parses captions            the shipped one
ATTEST_STATIC              folder that ``collectstatic`` fills                      static/ in ATTEST_DATA
DATABASE_POOL              connections to PostgreSQL that a process keeps at most   8
ATTEST_UPLOAD_MB           megabytes that one upload may send                       256
SECURE_SSL_REDIRECT        production sends http to https                           on
S3_BUCKET                  bucket of images and maps, instead of ATTEST_DATA        none: files in ATTEST_DATA
S3_ENDPOINT                address of an S3-compatible store, with scheme           Amazon's own
S3_ACCESS_KEY              key of S3_BUCKET, with the next                          as the machine provides
S3_SECRET_KEY              its secret                                               as the machine provides
S3_REGION                  region of the bucket                                     us-east-1
S3_FOLDER                  folder within the bucket                                 none
ATTEST_NAMES_KEY           makes names and links of images that nobody can guess    SECRET_KEY
EMAIL_URL                  ``smtp+tls://user:password@host:587`` sends alerts        to the log
DEFAULT_FROM_EMAIL         whom mails come from                                     attest@localhost
METRICS_TOKEN              bearer token that may read /metrics, beside admins       none
LOG_LEVEL                  least level of what is logged                            INFO
SENTRY_DSN                 where failures are told, without anyone's data           none: nowhere
WEB_CONCURRENCY, PORT      web processes and their port (gunicorn)                  2, 8000
=========================  =======================================================  ==========================
"""

from __future__ import annotations

import os
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
# Compose passes as empty what nobody has set.
env.ENVIRON = {name: value for name, value in os.environ.items() if value}

ATTEST_ENV = env.str("ATTEST_ENV", default="demo")
if ATTEST_ENV not in {"demo", "production"}:
    raise ImproperlyConfigured(f"ATTEST_ENV is {ATTEST_ENV!r}: set it to 'demo' or 'production'.")
PRODUCTION = ATTEST_ENV == "production"

DATA_DIR = Path(env.str("ATTEST_DATA", default=str(BASE_DIR / "var"))).resolve()
STATIC_ROOT = Path(env.str("ATTEST_STATIC", default=str(DATA_DIR / "static")))
if not PRODUCTION:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
DEBUG = env.bool("DEBUG", default=False)
TOUR = env.bool("ATTEST_TOUR", default=False)
DEMO_SECRET_KEY = "demo-only-" + "0123456789" * 5
SECRET_KEY = env.str("SECRET_KEY", default=DEMO_SECRET_KEY)
NAMES_KEY = env.str("ATTEST_NAMES_KEY", default="") or SECRET_KEY
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_ADDRESS = env.str("ATTEST_SITE", default=next(iter(CSRF_TRUSTED_ORIGINS), "http://localhost:8000")).rstrip("/")
ATTEST_CONTACT = env.str("ATTEST_CONTACT", default="")
# Proxies that add to X-Forwarded-For, which an address is taken from; with too few, clients could choose theirs.
PROXIES = env.int("PROXIES", default=1 if PRODUCTION else 0)

DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'attest.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: with the default (DEFERRED) two writers that both read first deadlock and one fails at once.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    # Beside what the URL asks for, such as ?sslmode=require.
    # While the server is away a request waits no longer than this before it fails (the browser keeps the answer and
    # sends it again), and whoever comes after tries anew, where the library's own retries would be minutes apart.
    pool = {"min_size": 1, "max_size": env.int("DATABASE_POOL", default=8), "timeout": 5, "reconnect_timeout": 5}
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = pool
    # A connection that a restarted server has forgotten is replaced before it is used.
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

if PRODUCTION:
    if SECRET_KEY == DEMO_SECRET_KEY:
        raise ImproperlyConfigured("SECRET_KEY is not set: production needs its own, at least 50 random characters.")
    if DEBUG:
        raise ImproperlyConfigured("DEBUG is on: production must run without it.")
    if TOUR:
        raise ImproperlyConfigured("ATTEST_TOUR is on: it signs visitors in without a password, for the demo alone.")
    if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        raise ImproperlyConfigured("DATABASE_URL names SQLite: production needs PostgreSQL (postgres://...).")

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "annotation_site.accounts.apps.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "auditlog",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "knox",
    "annotation_site.accounts",
    "annotation_site.stimuli",
    "annotation_site.studies",
    "annotation_site.raters",
    "annotation_site.rating",
    "annotation_site.payments",
    "annotation_site.recruitment",
    "rest_framework",
    "drf_spectacular",
    "annotation_site.reports",
    "annotation_site.analyses",
    "annotation_site.research",
    "annotation_site.webhooks",
    "annotation_site.alerts",
    "annotation_site.api",
    "annotation_site.worker",
    "annotation_site.operations",
]

MIDDLEWARE = [
    "annotation_site.operations.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "annotation_site.middleware.AdminContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "annotation_site.middleware.AdminInEnglish",
    "annotation_site.middleware.NoNulInTheAdmin",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "annotation_site.middleware.AuditedUser",
    "allauth.account.middleware.AccountMiddleware",
    "annotation_site.accounts.middleware.SecondFactor",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "annotation_site.middleware.StorageAway",
]

ROOT_URLCONF = "annotation_site.urls"
WSGI_APPLICATION = "annotation_site.wsgi.application"
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
                "annotation_site.context.site",
                "annotation_site.operations.tour.tour",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "reports"
LOGOUT_REDIRECT_URL = ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "annotation_site.accounts.adapters.Accounts"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
# Signed in until the browser closes, or signs out.
ACCOUNT_SESSION_REMEMBER = False
# Of one address, and of one name: somebody who guesses is stopped, and one who forgot goes on in five minutes.
ACCOUNT_RATE_LIMITS = {"login": "30/m/ip", "login_failed": "10/m/ip,5/5m/key", "reset_password_from_key": "20/m/ip"}
ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES
MFA_ADAPTER = "annotation_site.accounts.adapters.SecondFactors"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Attest"
# An admin who makes an account gives its address of mail; nobody proves it.
MFA_ALLOW_UNVERIFIED_EMAIL = True
SECOND_FACTOR_REQUIRED = env.bool("ATTEST_SECOND_FACTOR", default=PRODUCTION)
# Links by which a new user sets a password.
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105 - a model, not a token
# Knox's own table is not used: its tokens have neither scopes nor names.
MIGRATION_MODULES = {"knox": None}

LANGUAGE_CODE = "en"
# A language is offered when its catalogue is complete, never half.
LANGUAGES = [("en", "English"), ("ko", "한국어")]
LOCALE_PATHS = [BASE_DIR / "annotation_site" / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = DATA_DIR / "media"
# Where people send files, the proxy's own limit is as high: operations/Caddyfile.
UPLOAD_MEGABYTES = env.int("ATTEST_UPLOAD_MB", default=256)
DATA_UPLOAD_MAX_NUMBER_FILES = 1000
FILE_UPLOAD_HANDLERS = [
    "annotation_site.uploads.LimitedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
WHITENOISE_USE_FINDERS = not PRODUCTION
S3_BUCKET = env.str("S3_BUCKET", default="")
OBJECT_STORE = {
    "BACKEND": "annotation_site.object_store.ObjectStore",
    "OPTIONS": {
        "bucket_name": S3_BUCKET,
        "endpoint_url": env.str("S3_ENDPOINT", default="") or None,
        "access_key": env.str("S3_ACCESS_KEY", default="") or None,
        "secret_key": env.str("S3_SECRET_KEY", default="") or None,
        "region_name": env.str("S3_REGION", default="") or "us-east-1",
        "location": env.str("S3_FOLDER", default=""),
    },
}
STORAGES = {
    "default": OBJECT_STORE if S3_BUCKET else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "annotation_site.storage.HashedFiles"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# Nothing inline and nothing from elsewhere; the admin's own looser rule is set by its view (urls.py).
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    # Asked from inside, without the proxy that speaks https.
    SECURE_REDIRECT_EXEMPT = ["^livez$", "^readyz$", "^metrics$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31536000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

# Never waits for a mail server for longer: the worker that sends has other work.
globals().update({**env.email_url("EMAIL_URL", default="consolemail://"), "EMAIL_TIMEOUT": 20})
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="attest@localhost")

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="redis://127.0.0.1:6379/0")
# What takes a GPU, torch or spaCy is rung for on a queue of its own, so that all else goes on while nobody draws. A
# worker that is told no queue takes both.
DRAWING_QUEUE, SITE_QUEUE = "drawing", "site"
CELERY_TASK_QUEUES = {name: {"routing_key": name} for name in (DRAWING_QUEUE, SITE_QUEUE)}
CELERY_TASK_DEFAULT_QUEUE = SITE_QUEUE
CELERY_TASK_ROUTES = {f"annotation_site.worker.tasks.{name}": {"queue": DRAWING_QUEUE} for name in ("work", "ring")}
# One process, one GPU: CUDA does not survive a fork, and two processes would share the memory.
CELERY_WORKER_POOL = "solo"
CELERY_WORKER_CONCURRENCY = 1
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Workers and beat wait for a Redis that is away for as long as it takes.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A message is acknowledged when its task has ended, and tasks end within ten minutes. Redis hands out what nobody has
# acknowledged after three times that; given twice, a message finds nothing to do.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 1800, "socket_connect_timeout": 3}


def _every(seconds: float, task: str) -> dict[str, object]:
    """What nobody has heard when it is sent again expires, so that messages do not pile up while nobody hears."""
    return {"schedule": seconds, "task": f"annotation_site.{task}", "options": {"expires": seconds}}


CELERY_BEAT_SCHEDULE = {
    "free leases that ran out": _every(60.0, "worker.tasks.release_leases"),
    "queue again what dead workers had claimed": _every(60.0, "worker.tasks.sweep"),
    "wake the idle workers": _every(60.0, "worker.tasks.ring"),
    "pay what was approved": _every(300.0, "payments.tasks.run_errands"),
    "forget whom nobody is to pay": _every(3600.0, "payments.tasks.forget_ids"),
    "look at Prolific": _every(600.0, "recruitment.tasks.sync_prolific"),
    "look for alerts": _every(60.0, "alerts.tasks.look_at_studies"),
    "send webhooks": _every(30.0, "webhooks.tasks.sweep_webhooks"),
}

ATTEST_MODEL = env.str("ATTEST_MODEL", default="tinyworld")
NEEDS_GPU = env.bool("ATTEST_NEEDS_GPU", default=False)
ATTEST_LANGUAGE_PIPELINE = env.str("ATTEST_LANGUAGE_PIPELINE", default="")

# Prolific: the token pays, the secret tells its events from anybody's.
PROLIFIC_TOKEN = env.str("PROLIFIC_TOKEN", default="")
PROLIFIC_WEBHOOK_SECRET = env.str("PROLIFIC_WEBHOOK_SECRET", default="")
PROLIFIC_API = env.str("PROLIFIC_API", default="https://api.prolific.com/api/v1/")

# Holds hints of a few seconds and the API's throttles; processes that share a cache share their throttles.
CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://attest")}
if CACHES["default"]["BACKEND"].endswith("LocMemCache"):
    CACHES["default"]["OPTIONS"] = {"MAX_ENTRIES": 20_000}
if CACHES["default"]["BACKEND"].endswith("RedisCache"):
    CACHES["default"]["BACKEND"] = "annotation_site.caching.SharedCache"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["annotation_site.api.authentication.BearerToken"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "annotation_site.api.problems.problem",
    "UNAUTHENTICATED_USER": None,
    "NUM_PROXIES": PROXIES,
}
RATES = {
    "join": env.str("ATTEST_JOIN_RATE", default="600/hour"),
    "upload": env.str("ATTEST_UPLOAD_RATE", default="60/hour"),
    "enrol": env.str("ATTEST_ENROLMENT_RATE", default="60/hour"),
    "rater": env.str("ATTEST_RATER_RATE", default="600/min"),
    "researcher": env.str("ATTEST_RESEARCHER_RATE", default="1200/min"),
}
WEBHOOKS_ANYWHERE = env.bool("ATTEST_WEBHOOKS_ANYWHERE", default=not PRODUCTION)
SPECTACULAR_SETTINGS = {
    "TITLE": "Attest, for programs",
    "VERSION": "1",
    "DESCRIPTION": "For researchers: studies with their items, images, raters, judgements and reports, read and run by "
    "a program with a token of an account. For raters: the rater's way without Attest's own pages. All bodies are "
    "JSON; times are ISO 8601 in UTC.",
    "TAGS": [
        {"name": "Rating", "description": "Enrol a person who has consented, claim a seat, answer, go on."},
        {"name": "Studies", "description": "Make, set up, open, pause and close studies."},
        {"name": "Items", "description": "The stimuli of a study."},
        {"name": "Images", "description": "What is drawn for a study's items."},
        {"name": "Raters", "description": "Raters by pseudonym: how far they are, and exclusions."},
        {"name": "Judgements", "description": "Every stored answer, one by one."},
        {"name": "Reports", "description": "The numbers of a study's page."},
        {"name": "Webhooks", "description": "Word of what happens, sent to an address of yours."},
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "StudyStateEnum": "annotation_site.studies.models.Study.State",
        "StudyKindEnum": "annotation_site.studies.models.Study.Kind",
        "WebhookEventEnum": "annotation_site.webhooks.models.Event",
        "DeliveryStateEnum": "annotation_site.webhooks.models.Delivery.State",
        "GenerationStateEnum": "annotation_site.stimuli.models.Generation.State",
    },
}

UNFOLD = {
    "SITE_TITLE": "Attest",
    "SITE_HEADER": "Attest",
    "SITE_URL": reverse_lazy("home"),
    "DASHBOARD_CALLBACK": "annotation_site.operations.dashboard.dashboard",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("images/icon.svg")}],
}
# What is saved as an object and noted in the audit log by itself; conditional updates are noted where they are made.
AUDITLOG_INCLUDE_TRACKING_MODELS = (
    {
        "model": "studies.Study",
        "exclude_fields": ["sampling", "created_at"],
        "mask_fields": ["completion_code", "screen_out_code"],
    },
    "studies.ConsentText",
    "studies.KnownAnswer",
    "studies.Member",
    {
        "model": "auth.User",
        "include_fields": ["username", "is_active", "is_staff", "is_superuser", "groups", "user_permissions"],
        "m2m_fields": ["groups", "user_permissions"],
    },
)
AUDITLOG_MASK_CALLABLE = "annotation_site.audit.hidden"
AUDITLOG_CID_GETTER = "annotation_site.operations.context.current_request"
AUDITLOG_DISABLE_ON_RAW_SAVE = True

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
SENTRY_DSN = env.str("SENTRY_DSN", default="")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
if LOG_LEVEL not in LOG_LEVELS:
    raise ImproperlyConfigured(f"LOG_LEVEL is {LOG_LEVEL!r}: say one of {', '.join(LOG_LEVELS)}.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "annotation_site.operations.logs.PlainLines",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "annotation_site.operations.logs.JsonLines"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json" if PRODUCTION else "plain"}},
    # Django's own handler would write to the terminal in the demo as well, and past our formatter.
    "loggers": {
        # Nor do its own levels stay: LOG_LEVEL is for every line.
        "django": {"handlers": [], "propagate": True, "level": "NOTSET"},
        "django.server": {"handlers": [], "propagate": True, "level": "NOTSET"},
        # It logs whole addresses, with the ids in them.
        "httpx": {"level": "WARNING"},
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
