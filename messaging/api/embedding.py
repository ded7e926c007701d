"""``POST /embed/tokens``: how another product opens a member's communication tab."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router
from pydantic import Field

from messaging import embed
from messaging.api import sendexa_words as words
from messaging.api.auth import client_of, readers, refuse_scope_to_read
from messaging.api.problems import FieldError, Problem, as_json, invalid
from messaging.api.schemas import Reply, Request
from messaging.api.sendexa_schemas import Refusal
from messaging.models import Contact

router = Router(tags=["Embedding"], by_alias=True)

EXAMPLE: dict[str, Any] = {
    "requestBody": {
        "content": {
            "application/json": {
                "example": {"externalId": "M-1042", "person": "Ama Owusu"}
            }
        }
    },
    "responses": {
        200: {
            "content": {
                "application/json": {
                    "example": {
                        "success": True,
                        "message": "Token made",
                        "data": {
                            "url": "https://resend.example.org/embed/members/M-1042"
                            "/communications/?token=eyJvIjoxMDA3Mzd9:1x2y3z:Abc",
                            "expiresAt": "2024-01-15T10:35:00Z",
                        },
                    }
                }
            }
        }
    },
}


class TokenRequest(Request):
    external_id: str = Field(
        min_length=1, max_length=100, description="The member's id in your systems."
    )
    access: Literal["read", "write"] = Field(
        "read", description="`write` also sends messages again, if the client may."
    )
    person: str = Field(
        "",
        max_length=embed.LONGEST_NAME,
        description="Who looks at it; stands on what they send again.",
    )
    minutes: int = Field(embed.MINUTES, ge=1, le=embed.MOST_MINUTES)


class Token(Reply):
    url: str = Field(description="For the `src` of an `<iframe>`.")
    expires_at: str


class TokenMade(Reply):
    success: Literal[True]
    message: str
    data: Token


@router.post(
    "/tokens",
    auth=readers(),
    response={
        200: TokenMade,
        (400, 401, 403, 404, 405, 411, 413, 415, 422, 429, 500, 503): Refusal,
    },
    summary="Open a member's communication inside another product",
    operation_id="embed_token",
    openapi_extra=EXAMPLE,
)
def embed_token(request: HttpRequest, body: TokenRequest) -> HttpResponse:
    """Return the address of one member's communication tab, for a frame.

    Good for minutes. Ask on your server whenever somebody opens the page; never
    hand the key and the secret to a browser.
    """
    client = client_of(request)
    access = embed.Access(body.access)
    if access is embed.Access.WRITE:
        refuse_scope_to_read(request)
    if "\x00" in body.external_id:
        raise invalid(
            "The request is not valid.", FieldError("externalId", "This has a NUL.")
        )
    known = Contact.objects.filter(
        organization=client.organization_id, external_id=body.external_id
    )
    if not known.exists():
        raise Problem(404, "member_not_found", "There is no member with this id.")
    try:
        made = embed.token_for_client(
            client,
            body.external_id,
            access=access,
            minutes=body.minutes,
            person=body.person,
        )
    except embed.NotAllowed as refused:
        raise Problem(403, "access_denied", f"{refused}") from refused
    told = {
        "url": embed.address(made, body.external_id),
        "expiresAt": words.moment(embed.read_token(made, body.external_id).expires_at),
    }
    return as_json(200, words.success("Token made", told))
