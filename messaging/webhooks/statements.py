"""The statements of the couriers, a file per verb in ``sql/``."""

from __future__ import annotations

from messaging.sql_files import SqlFiles

rows = SqlFiles(__file__).rows
