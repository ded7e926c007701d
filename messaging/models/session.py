"""Sessions of the browser, with what a person needs to recognise their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import DatabaseError, models
from django.db.models.functions import Now
from django.utils import timezone

OPENED: Final = "_opened"
"""Under this a session remembers how it was opened: ``at``, ``address``, ``device``."""
SEEN_EVERY: Final = timedelta(minutes=1)
LONGEST_DEVICE: Final = 300


class Session(models.Model):
    """One browser; signed in when it has a person.

    ``session_key`` opens it, so no page shows that: the number does for those who
    list sessions and end them. To end one is to delete its row.
    """

    session_key = models.CharField(max_length=40, unique=True, editable=False)
    session_data = models.TextField(editable=False)
    expire_date = models.DateTimeField(db_index=True, verbose_name="ends at")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="sessions",
    )
    opened_at = models.DateTimeField(null=True, blank=True, verbose_name="signed in at")
    seen_at = models.DateTimeField(
        db_default=Now(), verbose_name="last seen at", help_text="To the minute."
    )
    address = models.GenericIPAddressField(null=True, blank=True)
    device = models.CharField(
        max_length=LONGEST_DEVICE,
        blank=True,
        default="",
        help_text="What the browser says it is.",
    )

    def __str__(self) -> str:
        return f"Session {self.pk}"

    def save(
        self,
        *,
        force_insert: Any = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Any = None,
    ) -> None:
        """Insert, or update the row of this key; it may have been ended meanwhile.

        Raises :class:`DatabaseError` when there is none any more, which the store
        takes for a session that was closed by somebody else.
        """
        if not force_update:
            super().save(force_insert=force_insert, using=using)
            return
        changed = Session.objects.filter(session_key=self.session_key).update(
            session_data=self.session_data,
            expire_date=self.expire_date,
            person=self.person_id,
            opened_at=self.opened_at,
            address=self.address,
            device=self.device,
        )
        if not changed:
            message = "This session has been ended."
            raise DatabaseError(message)


class SessionStore(DatabaseStore):
    """``SESSION_ENGINE``: Django's store on PostgreSQL, in rows that say whose."""

    @classmethod
    def get_model_class(cls) -> Any:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        opened = data.get(OPENED) or {}
        person_id = data.get("_auth_user_id")
        return Session(
            session_key=self._get_or_create_session_key(),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            person_id=int(person_id) if person_id else None,
            opened_at=opened.get("at"),
            address=opened.get("address"),
            device=opened.get("device", ""),
        )

    def _get_session_from_db(self) -> Any:
        """Read the row, and note at most once a minute that it was used."""
        found = super()._get_session_from_db()  # type: ignore[misc]
        now = timezone.now()
        if found is not None and found.seen_at < now - SEEN_EVERY:
            Session.objects.filter(pk=found.pk, seen_at=found.seen_at).update(
                seen_at=now
            )
        return found
