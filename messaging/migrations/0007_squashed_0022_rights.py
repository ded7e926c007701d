"""What came after the first tables, in one step.

It cannot be one with the first: our API clients need tables of the OAuth toolkit, and
those need people. A database that stands at one of the migrations below goes on with
those; one that stands at 0006 may have rows, which this brings in step.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import migrations

from messaging.migrations._tables import (
    additions,
    bulk,
    clients,
    deliveries,
    endpoints,
    figures,
    indexes,
)
from messaging.migrations._together import Together

SQL = Path(__file__).parent / "sql"

# The engine's own: a line for each person that an integration wrote to, on providers
# that want a pause between two messages to the same one. No model, no foreign key and
# no log of its changes: losing it costs seconds.
PAIR_PACE = """
CREATE UNLOGGED TABLE messaging_pairpace (
    integration_id bigint NOT NULL,
    recipient text NOT NULL,
    free_at timestamptz NOT NULL,
    PRIMARY KEY (integration_id, recipient)
) WITH (fillfactor = 70);
"""

SCRIPTS = [
    "figures_tally_attempts",
    "figures_tally_messages",
    "figures_recoveries",
    "figures_backfill",
    "daily_figures",
    "bulk_outcomes",
    "webhook_outbox",
    "meters",
]

FUNCTIONS = [
    "messaging_note_first_failure",
    "messaging_count_recoveries",
    "messaging_recovery_bucket",
    "messaging_count_by_day",
    "messaging_count_recoveries_by_day",
    "messaging_figures_of",
    "messaging_count_bulk_outcomes",
    "messaging_webhook_integration",
    "messaging_webhook_messages",
    "messaging_webhook_emit",
    "messaging_webhook_moment",
    "messaging_webhook_priority",
    "messaging_meter_messages",
    "messaging_meter_attempts",
    "messaging_is_outcome",
]


def of_first_step(script: str, function: str) -> str:
    """Return the function that one of these scripts takes the place of."""
    text = (SQL / f"{script}.sql").read_text()
    start = text.index(f"CREATE FUNCTION {function}()")
    end = text.index("END $$;", start) + len("END $$;")
    return text[start:end].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


class Migration(migrations.Migration):
    replaces = [
        ("messaging", "0007_api_clients"),
        ("messaging", "0008_bulk_resend"),
        ("messaging", "0009_indexes_for_waiting"),
        ("messaging", "0010_wishes_have_a_time"),
        ("messaging", "0011_bulk_resend_of_a_cause"),
        ("messaging", "0012_figures"),
        ("messaging", "0013_recount"),
        ("messaging", "0014_circuit_and_pairs"),
        ("messaging", "0015_counted_deliveries"),
        ("messaging", "0016_daily_figures"),
        ("messaging", "0017_webhooks_out"),
        ("messaging", "0018_meters"),
        ("messaging", "0019_lists_by_probes"),
        ("messaging", "0020_forecast"),
        ("messaging", "0021_bearer_tokens"),
        ("messaging", "0022_rights"),
    ]

    dependencies = [
        ("messaging", "0006_search_by_beginning"),
        migrations.swappable_dependency(settings.OAUTH2_PROVIDER_APPLICATION_MODEL),
        # All that the toolkit has: later, each of its many changes would have Django
        # build anew all of our models, which point at people as its own do.
        ("oauth2_provider", "0022_refreshtoken_token_family_index"),
    ]

    operations = [
        # A big table takes longer than a page may.
        migrations.RunSQL("SET LOCAL statement_timeout = 0", migrations.RunSQL.noop),
        Together(
            [
                *clients.TABLES,
                *bulk.TABLES,
                *figures.TABLES,
                *endpoints.TABLES,
                *deliveries.TABLES,
                *additions.ADDITIONS,
                *indexes.INDEXES,
            ]
        ),
        migrations.RunSQL(PAIR_PACE, "DROP TABLE messaging_pairpace;"),
        migrations.RunSQL(
            "\n".join((SQL / f"{name}.sql").read_text() for name in SCRIPTS),
            "".join(f"DROP FUNCTION {name} CASCADE;" for name in FUNCTIONS)
            + of_first_step("tally_counts_attempts", "messaging_tally_attempts")
            + of_first_step("tally_counts_messages", "messaging_tally_messages"),
        ),
    ]
