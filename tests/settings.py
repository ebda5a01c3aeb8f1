"""Settings of the tests: every run has servers, data and files of its own in a temporary folder."""

import os
import tempfile

# Child processes of a run (workers, sites) inherit the folder; only the run itself makes one.
if "TAGGER_TEST_RUN" not in os.environ:
    os.environ["TAGGER_TEST_RUN"] = os.environ["TAGGER_DATA"] = tempfile.mkdtemp(prefix="tagger-test-")
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "HTTPS", "DEBUG", "ALLOWED_HOSTS"):
        os.environ.pop(name, None)
os.environ["STATIC_MANIFEST"] = "no"

from tagger.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ACCOUNT_RATE_LIMITS = False
