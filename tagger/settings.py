"""Django settings, read from the environment alone; `docs/production.env.example` shows the variables of a server."""

import tomllib
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF

from tagger import env
from tagger.layout import BASE_DIR, Layout

LAYOUT = Layout.from_environment()
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]

# Security
DEBUG = env.flag("DEBUG")
SECRET_KEY = env.secret_key("SECRET_KEY", LAYOUT.secret_key)
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")
HTTPS = env.flag("HTTPS")
PROXIES = env.integer("TRUSTED_PROXIES", 0, minimum=0, maximum=10)
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = env.integer("HSTS_SECONDS", 31_536_000, minimum=0) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 1_001
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000

INSTALLED_APPS = [
    "annotations",
    "mlmodels",
    "tagger",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_htmx",
    "csp",
    "django_celery_beat",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "tagger.urls"
WSGI_APPLICATION = "tagger.wsgi.application"
ASGI_APPLICATION = "tagger.asgi.application"
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
                "csp.context_processors.nonce",
            ]
        },
    }
]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# Database and broker: the named servers, or the embedded ones behind sockets below TAGGER_DATA
DATABASE_POOL_SIZE = env.integer("DATABASE_POOL_SIZE", 0, minimum=0, maximum=100)  # `up` sets it for the web
_database: dict[str, Any] = env.database("DATABASE_URL") or {
    "NAME": "tagger",
    "USER": "tagger",
    "HOST": str(LAYOUT.sockets),
    "OPTIONS": {},
}
if DATABASE_POOL_SIZE:
    _database["OPTIONS"]["pool"] = {"min_size": 1, "max_size": DATABASE_POOL_SIZE, "timeout": 5}
DATABASES = {
    "default": _database
    | {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True}
}
REDIS_URL = env.redis_url("REDIS_URL", f"unix://{LAYOUT.redis_socket}?db=0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "tagger",
        "OPTIONS": {"socket_timeout": 3, "socket_connect_timeout": 3},
    }
}

# Celery: queues, routes and the schedule stand in tagger/celery.py
CELERY_BROKER_URL = CELERY_RESULT_BACKEND = REDIS_URL.replace("unix://", "redis+socket://").replace(
    "?db=", "?virtual_host="
)
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": "tagger:", "visibility_timeout": 3600}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"global_keyprefix": "tagger:"}
CELERY_RESULT_EXPIRES = 300
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "tagger.schedule:Scheduler"
CELERY_TIMEZONE = "UTC"

# People
AUTH_USER_MODEL = "annotations.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/projects/"
SIGNUP_OPEN = env.flag("SIGNUP_OPEN")
ACCOUNT_ADAPTER = "tagger.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"login": "120/m/ip", "login_failed": "20/m/ip,5/5m/key", "signup": "20/m/ip"}
ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Tagger"
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "webmaster@localhost")
OIDC_SERVER_URL = env.text("OIDC_SERVER_URL")
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if OIDC_SERVER_URL:
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": env.text("OIDC_NAME", "Single sign-on"),
                "client_id": env.text("OIDC_CLIENT_ID"),
                "secret": env.text("OIDC_CLIENT_SECRET"),
                "settings": {"server_url": OIDC_SERVER_URL},
            }
        ],
    }

# What a page may load: our own files and nothing inline; the nonce is for the import map
_oidc = urlsplit(OIDC_SERVER_URL)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "img-src": [SELF, "blob:", "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF, *([f"{_oidc.scheme}://{_oidc.netloc}"] if OIDC_SERVER_URL else [])],
    }
}

# The API
API_REQUESTS_PER_SECOND = env.integer("API_REQUESTS_PER_SECOND", 100, minimum=1)  # for each token
REST_FRAMEWORK = {
    # Token authentication stands first: it makes the answer to nobody 401 instead of 403.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "tagger.parsers.SafeJSONParser",
        "rest_framework.parsers.MultiPartParser",
        "rest_framework.parsers.FormParser",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["tagger.throttling.TokenThrottle"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "tagger.api_errors.handle",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
METRICS_TOKEN = env.token("METRICS_TOKEN")  # empty: /metrics is not served
TOKEN_DAYS = env.integer("TOKEN_DAYS", 90, minimum=0, maximum=36_500)  # 0: tokens do not expire
REST_KNOX = {"TOKEN_TTL": timedelta(days=TOKEN_DAYS) if TOKEN_DAYS else None, "AUTO_REFRESH": False}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tagger",
    "DESCRIPTION": "People and a model tag images together.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": False, "validatorUrl": None},
}

# Files
STATIC_URL = "/static/"
STATIC_ROOT = LAYOUT.static
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "tagger.staticfiles.NodeModulesFinder",
]
# In development and tests files are served as they lie; otherwise as collected, with hashed names.
STATIC_MANIFEST = env.flag("STATIC_MANIFEST", default=not DEBUG)
WHITENOISE_USE_FINDERS = not STATIC_MANIFEST
WHITENOISE_MAX_AGE = 3600 if STATIC_MANIFEST else 0
_manifest = "whitenoise.storage.CompressedManifestStaticFilesStorage"  # a quarter of the bytes
_plain = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _manifest if STATIC_MANIFEST else _plain},
}
MEDIA_ROOT = LAYOUT.media
FILE_UPLOAD_PERMISSIONS = 0o600
MODELS_ROOT = LAYOUT.models
WEIGHTS_DIR = env.text("TAGGER_WEIGHTS_DIR")  # folder with weights of further backbones
# auto: the fastest, measured
VISION_ENGINE = env.choice("TAGGER_ENGINE", "auto", ("auto", "torch", "openvino"))
TEXT_ENCODER = env.text("TAGGER_TEXT_ENCODER")  # folder or pip package of a sentence encoder; none by default
SPACY_MODEL = env.text("TAGGER_SPACY_MODEL")  # package or folder of a trained pipeline that reads captions
IMPORT_ROOTS = env.items("TAGGER_IMPORT_ROOTS")  # folders that imports by path may read
# Networks beside the public internet that imports from addresses may reach
IMPORT_NETWORKS = env.networks("TAGGER_IMPORT_NETWORKS")
IMPORT_BUCKETS = env.items("TAGGER_IMPORT_BUCKETS")  # S3 buckets (or bucket/folder) that imports may read
S3_ENDPOINT = env.text("TAGGER_S3_ENDPOINT") or env.text("AWS_ENDPOINT_URL")  # empty: Amazon's own

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "tagger.logs.LineFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        name: {"level": env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))}
        for name in ("tagger", "annotations", "mlmodels", "celery")
    }
    | {"django.request": {"level": "ERROR"}},
}
