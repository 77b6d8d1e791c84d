"""Recording what was done. Every service that changes anything calls `record` or `move` in its own transaction."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, models
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from audit.models import Action, AuditLog
from core.errors import Conflict, NotAllowedNow
from core.logs import origin
from core.prepared import insert

Person = AbstractBaseUser | None


def record(
    *,
    action: Action,
    target: models.Model,
    by: Person,
    actor: str = "",
    old: str = "",
    new: str = "",
    reason: str = "",
    data: Mapping[str, Any] | None = None,
) -> AuditLog:
    """Write one audit row into the schema that is active.

    `by` is None for a visitor without an account, whose name is then given as `actor`, and for the platform itself.
    While a superadmin acts as support, the row names both.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("An audit row belongs into the transaction of what it records.")
    name = str(by) if by else actor or _("The platform")
    supporter_id, supporter = origin.get().supporter or (None, "")
    if supporter:
        name = _("%(supporter)s as support, for %(person)s") % {"supporter": supporter, "person": name}
    row = AuditLog(
        action=action,
        user_id=by.pk if by else None,
        supporter_id=supporter_id,
        actor=name[:200],
        address=origin.get().address,
        entity=target._meta.label_lower,
        entity_id=str(target.pk or ""),
        thing=str(target)[:255],
        old=old,
        new=new,
        reason=reason,
        data=dict(data or {}),
    )
    insert(row)
    return row


def move(
    target: models.Model,
    to: str,
    *,
    by: Person,
    reason: str = "",
    data: Mapping[str, Any] | None = None,
    also: Mapping[str, Any] | None = None,
) -> None:
    """Change `target.status` to `to`: checked against its TRANSITIONS, won against everybody else, and recorded.

    Raises NotAllowedNow when the state does not permit it, and Conflict, naming who was first, when the row has
    changed since it was read. `also` holds further columns to set in the same statement.
    """
    old = str(target.status)  # type: ignore[attr-defined]  # every model with TRANSITIONS has one
    if to not in target.TRANSITIONS.get(old, ()):  # type: ignore[attr-defined]
        raise NotAllowedNow(already(target) or _("This step is not possible now."))
    won = type(target)._base_manager.filter(pk=target.pk, status=old).update(status=to, **(also or {}))
    if not won:
        raise Conflict(already(target) or _("Somebody else changed this first. Look at it again."))
    target.status = to  # type: ignore[attr-defined]
    for name, value in (also or {}).items():
        setattr(target, name, value)
    action = Action(f"{target._meta.model_name}.{to}")
    record(action=action, target=target, by=by, old=old, new=to, reason=reason, data=data)


def already(target: models.Model) -> str:
    """The last status change of `target` as a sentence, like "Hospital approved by Asha at 10:41."; "" if none."""
    last = AuditLog.objects.about(target).exclude(new="").newest_first().first()
    if last is None:
        return ""
    return _("%(what)s by %(who)s on %(day)s at %(time)s.") % {
        "what": last.title,
        "who": last.actor,
        "day": localtime(last.timestamp).strftime("%-d %B"),
        "time": localtime(last.timestamp).strftime("%H:%M"),
    }


def changes(target: models.Model, new: Mapping[str, Any]) -> dict[str, list[str]]:
    """What `new` would change on `target`: field name to [before, after], as text; unchanged fields left out."""
    return {
        name: [str(before), str(after)] for name, after in new.items() if (before := getattr(target, name)) != after
    }
