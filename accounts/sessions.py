"""The session engine: Django's sessions in the database, each bound to the place it was opened in.

A session cookie copied from one host to another finds nothing there, whoever holds it.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from accounts.models import Session

# Keys of a session's data.
SECOND_FACTOR = "second_factor"  # the person proved who they are twice
SUPPORT = "support"  # {"by": primary key, "name": ...} of the superadmin who acts in this person's name


@dataclass(frozen=True)
class Visit:
    """Where a session is asked for, and from where."""

    place: str = ""
    host: str = ""
    address: str | None = None
    agent: str = ""


class SessionStore(DatabaseStore):
    """Finds only sessions of the place of `visit`, which the middleware sets before anything is read."""

    visit = Visit()
    row: Session | None = None

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Ours, which knows its person and place."""
        return Session

    def _get_session_from_db(self) -> Session | None:
        self.row = (
            Session.objects.open(timezone.now()).filter(session_key=self.session_key, place=self.visit.place).first()
        )
        if self.row is None:
            self._session_key = None
        return self.row

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row to write. A session that goes on, for the same person, keeps its name and when it began."""
        key = self._get_or_create_session_key()  # type: ignore[attr-defined]  # missing in the stubs
        user_id = data.get(SESSION_KEY)
        old = self.row
        goes_on = old is not None and old.session_key == key and str(old.user_id or "") == str(user_id or "")
        kept = {"code": old.code, "created_at": old.created_at} if old is not None and goes_on else {}
        self.row = Session(
            session_key=key,
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            place=self.visit.place,
            user_id=int(user_id) if user_id else None,
            supporter_id=data.get(SUPPORT, {}).get("by"),
            host=self.visit.host,
            address=self.visit.address,
            agent=self.visit.agent[:300],
            **kept,
        )
        return self.row
