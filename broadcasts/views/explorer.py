"""Where people try out ``/graphql``: GraphiQL, with examples that work at once.

It runs under the policy of every page. Its menus and dialogs hold the page still by
one style element, which a nonce lets through; nothing else of it is inline. What was
tried before version 4 was taken stands in ``broadcasts/static/graphiql/README.md``.
"""

from __future__ import annotations

from csp.constants import NONCE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from broadcasts.graphql.examples import EXAMPLES, broadcast_to_ask_about
from messaging.access import organization_of, person_of, require_organization


@require_safe
@require_organization
@csp_update({"style-src": [NONCE]})
def explorer(request: HttpRequest) -> HttpResponse:
    """Show GraphiQL; an example that the address names is put into it."""
    number = broadcast_to_ask_about(organization_of(request))
    names = {one.name for one in EXAMPLES}
    asked = request.GET.get("example", "")
    context = {
        "examples": EXAMPLES,
        "questions": [
            {
                "name": one.name,
                "query": one.query,
                "variables": one.variables(number),
            }
            for one in EXAMPLES
        ],
        "chosen": asked if asked in names else "",
        "owner": str(person_of(request).pk),
        "docs_url": reverse("api:openapi-view"),
        "plain_url": reverse("graphql-plain"),
    }
    return render(request, "broadcasts/explorer.html", context)
