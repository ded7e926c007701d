"""The first tables, as six migrations leave them, for a database that is empty.

A database that stands at one of those goes on with them.
"""

from __future__ import annotations

from pathlib import Path

from django.db import migrations

from messaging.migrations._tables import (
    attempts,
    contacts,
    credits,
    integrations,
    messages,
    organizations,
    resending,
    tallies,
)
from messaging.migrations._together import Together

SQL = Path(__file__).parent / "sql"

# A number that a client holds names a message or an attempt, never both.
SHARE_NUMBERS = """
ALTER TABLE messaging_attempt ALTER COLUMN id DROP IDENTITY;
ALTER TABLE messaging_attempt
    ALTER COLUMN id SET DEFAULT nextval('messaging_message_id_seq');
"""

SCRIPTS = [
    "content_is_immutable",
    "tally_counts_messages",
    "tally_counts_attempts",
    "ledger_moves_account",
]

FUNCTIONS = [
    "messaging_content_refuse_change",
    "messaging_tally_messages",
    "messaging_tally_code",
    "messaging_tally_attempts",
    "messaging_attempt_born_open",
    "messaging_ledger_moves_account",
    "messaging_ledger_refuse_change",
]


class Migration(migrations.Migration):
    initial = True

    replaces = [
        ("messaging", "0001_initial"),
        ("messaging", "0002_triggers"),
        ("messaging", "0003_next_attempt_is_asked_for"),
        ("messaging", "0004_resending"),
        ("messaging", "0005_attempts_share_message_ids"),
        ("messaging", "0006_search_by_beginning"),
    ]

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        Together(
            [
                *organizations.TABLES,
                *integrations.TABLES,
                *contacts.TABLES,
                *credits.TABLES,
                *messages.TABLES,
                *attempts.TABLES,
                *tallies.TABLES,
                *resending.TABLES,
            ]
        ),
        migrations.RunSQL(
            "\n".join((SQL / f"{name}.sql").read_text() for name in SCRIPTS),
            "".join(f"DROP FUNCTION {name} CASCADE;" for name in FUNCTIONS),
        ),
        migrations.RunSQL(
            SHARE_NUMBERS,
            "ALTER TABLE messaging_attempt ALTER COLUMN id DROP DEFAULT;",
        ),
    ]
