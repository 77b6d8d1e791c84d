"""Changing one's e-mail address: proved by the password here, and by a code there."""

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import OneTimeCode, User
from accounts.services import codes, letters, people, sign_in
from audit import services as audit
from audit.models import Action
from core.errors import Conflict, Invalid

_NEW_EMAIL = OneTimeCode.Purpose.NEW_EMAIL


def ask_for_change(
    *, request: HttpRequest, user: User, email: str, password: str, sign_in_link: str, now: datetime
) -> str:
    """Send a code to the new address, and return it as it will be kept. The old one goes on until the code is typed.

    Whether somebody has an account with the new address does not show: its owner is told so by mail.
    """
    email = email.strip().lower()
    if email == user.email:
        raise Invalid(_("This is your address already."), field="email")
    sign_in.prove(request=request, user=user, password=password, field="password")
    codes.allow_asking(address=getattr(request, "address", ""), email=email)
    with transaction.atomic():
        owner = User.objects.filter(email=email).first()
        if owner is None:
            people.send_code(request=request, user=user, purpose=_NEW_EMAIL, email=email, now=now)
        else:
            OneTimeCode.objects.filter(user=user, purpose=_NEW_EMAIL).delete()
            people.tell_owner(request=request, owner=owner, sign_in_link=sign_in_link)
    return email


def change(*, request: HttpRequest, user: User, code: str, now: datetime) -> str:
    """Use the new address from now on, proved by the code from the mail; the old one is told. Returns the new one.

    Raises WrongCode, TooMany, and Conflict when somebody else took the address in the meantime.
    """
    address = getattr(request, "address", "")
    email = codes.use(user=user, purpose=_NEW_EMAIL, code=code, address=address, now=now)
    try:
        with transaction.atomic():
            before = user.email
            user.email, user.email_verified_at = email, now
            user.save(update_fields=["email", "email_verified_at", "updated_at"])
            # What went to the old address opens nothing any more.
            OneTimeCode.objects.filter(user=user).delete()
            audit.record(action=Action.USER_EMAIL_CHANGED, target=user, by=user)
            letters.send(
                request=request,
                to_address=before,
                to_name=user.get_full_name(),
                template="email_changed",
                subject=_("Your e-mail address was changed"),
                # Not the hospital: the account opens every hospital's door, and only the platform can give it back.
                context={"contact": settings.SUPPORT_EMAIL},
            )
    except IntegrityError:
        user.refresh_from_db()
        raise Conflict(_("Somebody else uses this address by now. Choose another one."), field="code") from None
    return email
