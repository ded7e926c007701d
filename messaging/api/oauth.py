"""OAuth 2 by client credentials: the same clients, secrets and access.

The toolkit keeps the tokens; who a client is and what it may do is asked of
:mod:`messaging.api_clients`, so there is one secret and one place to revoke it.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any
from urllib.parse import unquote_plus

from django.utils import timezone
from oauth2_provider.models import AccessToken
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import SettingsScopes
from oauth2_provider.views import TokenView

from messaging import api_clients
from messaging.models import ApiClient


class ClientScopes(SettingsScopes):
    """A client may ask for what it may do, and gets all of it by default."""

    def get_available_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        client: ApiClient | None = getattr(application, "api_client", None)
        return api_clients.scopes_of(client) if client else []

    def get_default_scopes(
        self, application: Any = None, request: Any = None, *args: Any, **kwargs: Any
    ) -> list[str]:
        return self.get_available_scopes(application, request)


class ClientValidator(OAuth2Validator):
    """Knows clients by their own key and secret, in the header or in the form."""

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        key, secret = self._credentials(request)
        client = api_clients.with_secret(key, secret)
        if client is None:
            return False
        api_clients.note_use(client)
        request.client = client.application
        return True

    def _credentials(self, request: Any) -> tuple[str, str]:
        scheme, _, value = request.headers.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "basic":
            return request.client_id or "", request.client_secret or ""
        try:
            key, _, secret = b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return "", ""
        # RFC 6749, 2.3.1: both are form-encoded before they are joined.
        return unquote_plus(key), unquote_plus(secret)

    def save_bearer_token(
        self, token: Any, request: Any, *args: Any, **kwargs: Any
    ) -> None:
        """Keep the new token, and none that has expired."""
        AccessToken.objects.filter(
            application=request.client, expires__lt=timezone.now()
        ).delete()
        super().save_bearer_token(token, request, *args, **kwargs)


token = TokenView.as_view()
