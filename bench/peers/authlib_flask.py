"""Authlib on Flask as a peer: the provider of its documentation, PKCE and rotating refresh tokens included.

``python authlib_flask.py FILE REDIRECT_URI CHALLENGE COUNT`` makes the tables and as many codes; ``authlib_flask:app``
is what gunicorn serves. ``DATABASE_URL`` names the database.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.sqla_oauth2 import (
    OAuth2AuthorizationCodeMixin,
    OAuth2ClientMixin,
    OAuth2TokenMixin,
    create_query_client_func,
    create_save_token_func,
)
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config.update(
    SQLALCHEMY_DATABASE_URI=os.environ["DATABASE_URL"],
    SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 8, "max_overflow": 0},
    OAUTH2_REFRESH_TOKEN_GENERATOR=True,
)
db = SQLAlchemy()


class User(db.Model):
    __tablename__ = "users"
    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.String(40), unique=True)

    def get_user_id(self):
        return self.id


class Client(db.Model, OAuth2ClientMixin):
    __tablename__ = "oauth2_client"
    id = db.Column(db.Integer, primary_key=True)


class Code(db.Model, OAuth2AuthorizationCodeMixin):
    __tablename__ = "oauth2_code"
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey("users.id"))


class Token(db.Model, OAuth2TokenMixin):
    __tablename__ = "oauth2_token"
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey("users.id"))


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]

    def save_authorization_code(self, code, request):
        raise NotImplementedError

    def query_authorization_code(self, code, client):
        found = Code.query.filter_by(code=code, client_id=client.client_id).first()
        return found if found and not found.is_expired() else None

    def delete_authorization_code(self, authorization_code):
        db.session.delete(authorization_code)
        db.session.commit()

    def authenticate_user(self, authorization_code):
        return db.session.get(User, authorization_code.user_id)


class RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_post"]
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        found = Token.query.filter_by(refresh_token=refresh_token).first()
        return found if found and not found.is_revoked() else None

    def authenticate_user(self, credential):
        return db.session.get(User, credential.user_id)

    def revoke_old_credential(self, credential):
        credential.access_token_revoked_at = credential.refresh_token_revoked_at = int(time.time())
        db.session.add(credential)
        db.session.commit()


db.init_app(app)
server = AuthorizationServer(
    app, create_query_client_func(db.session, Client), create_save_token_func(db.session, Token)
)
server.register_grant(CodeGrant, [CodeChallenge(required=True)])
server.register_grant(RefreshGrant)


@app.post("/token")
def token():
    return server.create_token_response()


def prepare(file, redirect_uri, challenge, count):
    secret = secrets.token_urlsafe(32)
    with app.app_context():
        db.create_all()
        db.session.add(User(id=1, username="bench"))
        client = Client(client_id="bench", client_secret=secret, client_id_issued_at=int(time.time()))
        client.set_client_metadata({
            "client_name": "Bench", "redirect_uris": [redirect_uri], "scope": "api", "response_types": ["code"],
            "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "client_secret_post",
        })  # fmt: skip
        db.session.add(client)
        db.session.commit()
        codes = [secrets.token_urlsafe(36) for _ in range(count)]
        later = int(time.time()) + 3600  # so that they outlive Authlib's five minutes
        db.session.execute(db.insert(Code), [
            {"code": code, "client_id": "bench", "redirect_uri": redirect_uri, "scope": "api", "user_id": 1,
             "auth_time": later, "code_challenge": challenge, "code_challenge_method": "S256"}
            for code in codes
        ])  # fmt: skip
        db.session.commit()
    with open(file, "w") as stream:
        json.dump({"token_path": "/token", "client_id": "bench", "client_secret": secret, "codes": codes}, stream)


if __name__ == "__main__":
    prepare(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
