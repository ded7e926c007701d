"""The statements of the couriers, a file per verb in ``sql/``."""

from __future__ import annotations

from messaging.sql_files import SqlFiles

FILES = SqlFiles(__file__)
rows = FILES.rows
rows_in_binary = FILES.rows_in_binary
