"""django-oauth-toolkit as a peer, in one file: PKCE and rotating refresh tokens, as its documentation sets it up.

``python django_toolkit.py FILE REDIRECT_URI CHALLENGE COUNT`` makes the tables and as many codes;
``django_toolkit:application`` is what gunicorn serves. ``DATABASE_NAME`` and ``DATABASE_HOST`` name the database. The
client's secret is stored unhashed: a password hash at every request would be all that is measured.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from datetime import timedelta

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

settings.configure(
    SECRET_KEY="bench",  # noqa: S106
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="django_toolkit",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "oauth2_provider"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ["DATABASE_NAME"],
            "HOST": os.environ["DATABASE_HOST"],
            "USER": "postgres",
            "CONN_MAX_AGE": None,
        }
    },
    OAUTH2_PROVIDER={
        "PKCE_REQUIRED": True,
        "ROTATE_REFRESH_TOKEN": True,
        "SCOPES": {"api": "Everything"},
        "ACCESS_TOKEN_EXPIRE_SECONDS": 3600,
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    LOGGING_CONFIG=None,
)
application = get_wsgi_application()
urlpatterns = [path("o/", include("oauth2_provider.urls", namespace="oauth2_provider"))]


def prepare(file, redirect_uri, challenge, count):
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.utils import timezone
    from oauth2_provider.models import Application, Grant

    call_command("migrate", verbosity=0)
    secret = secrets.token_urlsafe(32)
    user = User.objects.create(username="bench")
    client = Application.objects.create(
        name="Bench", client_id="bench", client_secret=secret, hash_client_secret=False, user=user,
        client_type=Application.CLIENT_CONFIDENTIAL, redirect_uris=redirect_uri,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
    )  # fmt: skip
    codes, expires = [secrets.token_urlsafe(30) for _ in range(count)], timezone.now() + timedelta(hours=1)
    Grant.objects.bulk_create([
        Grant(user=user, application=client, code=code, expires=expires, redirect_uri=redirect_uri, scope="api",
              code_challenge=challenge, code_challenge_method="S256")
        for code in codes
    ])  # fmt: skip
    with open(file, "w") as stream:
        json.dump({"token_path": "/o/token/", "client_id": "bench", "client_secret": secret, "codes": codes}, stream)


if __name__ == "__main__":
    prepare(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
