"""When a draft runs, asked in a dialog."""

from __future__ import annotations

from django import forms

from resend_admin.ui.forms import DateTimeLocalField


class ScheduleForm(forms.Form):
    run_at = DateTimeLocalField(label="Run at")
