"""Tell messaging which broadcasts people have ended: nothing of them begins again."""

from __future__ import annotations

from django.db import migrations

CANCELLED = """
    INSERT INTO messaging_endedbroadcast (broadcast_id, organization_id, ended_at)
    SELECT id, organization_id, coalesce(finished_at, now())
    FROM broadcasts_broadcast
    WHERE state = 'cancelled'
    ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("broadcasts", "0007_retry_includes_unknown"),
        ("messaging", "0036_ended_broadcasts"),
    ]

    operations = [migrations.RunSQL(CANCELLED, migrations.RunSQL.noop)]
