"""Settings of the suite: the project's own, with all files under a folder that goes away at the end."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_FOLDER = tempfile.mkdtemp(prefix="portal-tests-")
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
os.environ["PORTAL_VAR_DIR"] = _FOLDER
os.environ.setdefault("SECRET_KEY", "only-for-tests-and-long-enough-to-be-accepted")
if os.environ.get("PORTAL_TEST_RLS") == "on":  # see tests/restricted.py
    os.environ["PORTAL_RLS"] = "on"
os.environ.setdefault("ALLOWED_HOSTS", "localhost,127.0.0.1,testserver")

from metricsportal.settings import *  # noqa: E402, F403 - after the environment is set

os.environ.pop("PORTAL_RLS", None)  # processes that a test starts are not restricted
# Names without hashes: the tests serve files from their sources; one test runs the real storage.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
Path(STATIC_ROOT).mkdir()  # noqa: F405 - whitenoise warns when it is missing, and warnings are errors here
# Strong hashing is slow by design; the tests sign in hundreds of times.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Tests count in their own process: callers' ids repeat from test to test.
THROTTLE_REDIS_URL = ""
# The servers of tests may lose what they took: no test pulls the plug but those that start servers of their own.
REQUIRE_DURABLE_DATABASE = False
