"""The API client that the README's curl lines use."""

from __future__ import annotations

import pytest

from messaging import api_clients
from messaging.models import ApiClient, Organization
from resend_admin.local import demo
from resend_admin.local.stack import PEOPLE

pytestmark = pytest.mark.django_db


def test_a_demo_from_before_there_was_one_gets_it_once() -> None:
    organization = Organization.objects.create(pk=demo.ORGANIZATION_ID, name="Club")

    assert demo.seed() is False
    assert demo.seed() is False

    client = api_clients.with_secret("demo-key", "demo-secret")
    assert client == ApiClient.objects.get()
    assert client.organization == organization
    assert client.may_write


def test_the_bearer_token_of_the_readme_opens_the_same_client() -> None:
    Organization.objects.create(pk=demo.ORGANIZATION_ID, name="Club")

    demo.seed()

    assert api_clients.with_bearer(demo.BEARER) == ApiClient.objects.get()
    assert demo.BEARER in PEOPLE


def test_a_bearer_token_that_was_removed_does_not_come_back() -> None:
    Organization.objects.create(pk=demo.ORGANIZATION_ID, name="Club")
    demo.seed()
    api_clients.remove_bearer(ApiClient.objects.get())

    demo.seed()

    assert api_clients.with_bearer(demo.BEARER) is None
