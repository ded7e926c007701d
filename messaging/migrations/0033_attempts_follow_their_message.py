"""Less work for every attempt: what its message refers to is not looked up again, and
the ends of public ids come from PostgreSQL's own generator. Quick on tables of any
size."""

from __future__ import annotations

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0032_former_secrets"),
    ]

    operations = [
        migrations.AlterField(
            model_name="attempt",
            name="content",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                to="messaging.content",
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="integration",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                to="messaging.integration",
            ),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="suffix",
            field=models.CharField(
                db_default=models.Func(
                    function="random",
                    output_field=models.CharField(),
                    template="lpad(to_hex(floor(%(function)s() * 68719476736)::bigint), 9, '0')",
                ),
                editable=False,
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="suffix",
            field=models.CharField(
                db_default=models.Func(
                    function="random",
                    output_field=models.CharField(),
                    template="lpad(to_hex(floor(%(function)s() * 68719476736)::bigint), 9, '0')",
                ),
                editable=False,
                max_length=9,
            ),
        ),
        migrations.AlterField(
            model_name="webhookevent",
            name="suffix",
            field=models.CharField(
                db_default=models.Func(
                    function="random",
                    output_field=models.CharField(),
                    template="lpad(to_hex(floor(%(function)s() * 68719476736)::bigint), 9, '0')",
                ),
                editable=False,
                max_length=9,
            ),
        ),
        migrations.RunSQL(
            (SQL / "attempts_follow_their_message.sql").read_text(),
            "DROP FUNCTION messaging_attempt_keeps_integration CASCADE;"
            "DROP FUNCTION messaging_attempt_keeps_content CASCADE;",
        ),
    ]
