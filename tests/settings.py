"""Settings of the tests: every process that runs tests has servers, data and files of its own in a temporary folder."""

import os
import tempfile

# What a test starts (Celery workers, sites) inherits the folder. Where pytest-xdist divides a run, each of its
# processes inherits the variables of the first one and makes a folder for itself.
if os.environ.get("TAGGER_TEST_RUN") != os.environ.get("PYTEST_XDIST_WORKER", "whole"):
    os.environ["TAGGER_TEST_RUN"] = os.environ.get("PYTEST_XDIST_WORKER", "whole")
    os.environ["TAGGER_DATA"] = tempfile.mkdtemp(prefix="tagger-test-")
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "HTTPS", "DEBUG", "ALLOWED_HOSTS"):
        os.environ.pop(name, None)
os.environ["STATIC_MANIFEST"] = "no"
# A backbone without weights is refused at once: the hub's library tries an unreachable network for a minute.
os.environ["HF_HUB_OFFLINE"] = "1"

from tagger.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ACCOUNT_RATE_LIMITS = False
