"""The description: generated, complete, and readable under our strict policy."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

pytestmark = pytest.mark.django_db

COLLECT_VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
DOORS = {
    "/v1/whatsapp/resend": "post",
    "/v1/whatsapp/resend/{messageId}": "post",
    "/v1/whatsapp/send": "post",
    "/v1/whatsapp/status/{messageId}": "get",
    "/v2/communications/resend": "post",
    "/embed/tokens": "post",
    "/messages/history/request": "post",
    "/messages/{id}/retry": "post",
    "/send/audio": "post",
    "/jobs/{id}": "get",
}


@pytest.fixture
def described() -> dict[str, Any]:
    response = Client().get("/api/openapi.json")
    assert response.status_code == 200
    found: dict[str, Any] = json.loads(response.content)
    return found


def test_every_door_is_described_with_its_methods(described: dict[str, Any]) -> None:
    found = {path: list(methods) for path, methods in described["paths"].items()}

    assert found == {path: [method] for path, method in DOORS.items()}


def test_every_door_has_locks_examples_and_refusals(described: dict[str, Any]) -> None:
    for path, method in DOORS.items():
        operation = described["paths"][path][method]
        assert operation["summary"]
        assert operation["description"]
        assert operation["security"] == [
            {"ApiKey": []},
            {"Bearer": []},
            {"OAuth2": []},
        ]
        assert {"200", "401", "403", "404", "429"} <= set(operation["responses"])
        answer = operation["responses"]["200"]["content"]["application/json"]
        assert answer["example"]
        if method == "post":
            body = operation["requestBody"]["content"]["application/json"]
            assert "example" in body or body["examples"]


def test_examples_of_answers_fit_their_schemas(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    for path, method in DOORS.items():
        answers = described["paths"][path][method]["responses"]
        for answer in answers.values():
            content = answer["content"]["application/json"]
            if "example" not in content or "$ref" not in content["schema"]:
                continue
            schema = schemas[content["schema"]["$ref"].rsplit("/", 1)[-1]]
            assert set(schema["required"]) <= set(content["example"])
            assert set(content["example"]) <= set(schema["properties"])


def test_all_ways_to_prove_oneself_are_described(described: dict[str, Any]) -> None:
    schemes = described["components"]["securitySchemes"]

    assert schemes["ApiKey"]["scheme"] == "basic"
    assert schemes["Bearer"]["scheme"] == "bearer"
    assert schemes["Bearer"]["bearerFormat"] == "UUID v4"
    flow = schemes["OAuth2"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == "/oauth/token"
    assert set(flow["scopes"]) == {"communication.read", "communication.write"}


def test_no_two_doors_share_a_name(described: dict[str, Any]) -> None:
    text = json.dumps(described)
    names = [
        described["paths"][path][method]["operationId"]
        for path, method in DOORS.items()
    ]

    assert len(set(names)) == len(DOORS)
    referred = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert referred <= set(described["components"]["schemas"])


@pytest.mark.django_db(transaction=True)
def test_the_page_works_under_the_policy(
    browser: Browser, live_server: LiveServer
) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    foreign: list[str] = []
    page.add_init_script(COLLECT_VIOLATIONS)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: foreign.append(request.url))

    response = page.goto(f"{live_server.url}/api/docs")

    assert response is not None
    assert "'unsafe" not in response.headers["content-security-policy"]
    expect(page).to_have_title(re.compile("Resend Admin"))
    operations = page.locator(".opblock-summary")
    expect(operations).to_have_count(len(DOORS))
    operations.first.click()
    expect(page.get_by_text("limit_reached").first).to_be_visible()
    page.get_by_role("button", name="Authorize").first.click()
    expect(page.get_by_text("communication.write").first).to_be_visible()
    own = (live_server.url, "data:", "blob:")
    assert [url for url in foreign if not url.startswith(own)] == []
    assert page.evaluate("window.violations") == []
    assert complaints == []
    page.close()
