"""Coming in by a code without asking first whether there is an account: for somebody who is about to book.

An address with an account is signed in to. One without gets an account that has no password, which opens once the code
has shown that its owner is there. The asker cannot tell which it was: page, words and work are the same.
"""

from datetime import datetime
from functools import partial

from django.db import transaction
from django.http import HttpRequest

from accounts.models import User
from accounts.services import people, sign_in
from accounts.services.sign_in import Step
from audit import services as audit
from audit.models import Action
from core.text import one_line

_SAID = "newcomer"


def ask_for_code(*, request: HttpRequest, email: str, name: str, phone: str, join_link: str, now: datetime) -> Step:
    """Send a code to this address, to be typed in this browser. Raises TooMany.

    What somebody says of themselves waits until the code is typed: nobody writes into another's account.
    """
    step = sign_in.begin_with_code(
        request=request, email=email, join_link=join_link, now=now, first=partial(_claim, now=now)
    )
    request.session[_SAID] = {"email": email.strip().lower(), "name": one_line(name), "phone": phone}
    return step


@transaction.atomic
def _claim(email: str, *, now: datetime) -> None:
    """Make an account that opens nothing yet, unless there is one: three statements either way, time must not tell."""
    claim = User(email=email, date_joined=now)
    claim.set_unusable_password()
    User.objects.bulk_create([claim], ignore_conflicts=True)
    user = User.objects.get(email=email)
    if user.date_joined == now:
        audit.record(action=Action.USER_ADDED, target=user, by=user)
    else:
        User.objects.filter(pk=user.pk).update(date_joined=user.date_joined)


def ask_again(*, request: HttpRequest, join_link: str, now: datetime) -> None:
    """Send another code to the same address; the earlier one stops counting. Raises StartAgain, TooMany."""
    email = sign_in.half_way(request, Step.CODE).email
    sign_in.begin_with_code(request=request, email=email, join_link=join_link, now=now)


def come_in(*, request: HttpRequest, code: str, now: datetime) -> Step:
    """Sign in by the code. Raises WrongCode, StartAgain, TooMany.

    What was said before the code becomes the word of a new account; of an older one it only fills what is empty.
    """
    email = sign_in.half_way(request, Step.CODE).email
    said = request.session.get(_SAID) or {}
    is_new = not User.objects.filter(email=email, email_verified_at__isnull=False).exists()
    step = sign_in.with_code(request=request, code=code, now=now)
    request.session.pop(_SAID, None)
    if step is Step.IN and said.get("email") == email:
        _keep(User.objects.get(email=email), said["name"], said["phone"], is_new=is_new)
    return step


def _keep(user: User, name: str, phone: str, *, is_new: bool) -> None:
    first, _space, last = name.partition(" ")
    names = {"first_name": user.first_name, "last_name": user.last_name}
    if is_new or not user.get_full_name():
        names = {"first_name": first[:150], "last_name": last[:150]}
    number = phone if phone and (is_new or not user.phone) else user.phone
    people.change_profile(user=user, phone=number, by=user, **names)
