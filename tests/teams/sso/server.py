"""A real OpenID Connect provider in a process of its own: `python -m tests.teams.sso.server` prints its port.

Added: it shows its private key, so that tests can sign what a provider would not say, and an address that leads on.
"""

import os
import sys
import warnings

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
warnings.simplefilter("ignore")

import flask  # noqa: E402 - after the warnings of these packages are silenced
import oidc_provider_mock  # noqa: E402
import werkzeug.serving  # noqa: E402


def main() -> None:
    app = oidc_provider_mock.app(require_client_registration=True, require_nonce=True)

    def private_key() -> flask.Response:
        key = flask.g.oidc_provider_mock_storage.jwk
        return flask.jsonify(key.as_dict(is_private=True))

    app.add_url_rule("/private-key", view_func=private_key)
    app.add_url_rule("/moved", view_func=lambda: flask.redirect("/.well-known/openid-configuration"))
    server = werkzeug.serving.make_server("127.0.0.1", 0, app, threaded=True)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
