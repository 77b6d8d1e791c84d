"""Whom the embedded servers run as: ourselves, or, because Postgres refuses root, a user of their own."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from rhms.processes import Account

SERVER_USER = "rhms-server"
# Servers get no variable of ours: PGHOST and the like would redirect them, and secrets are none of their business.
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


class CannotStartError(Exception):
    """A server cannot start; the message is one sentence for the person at the keyboard."""


def account_for(data: Path) -> Account | None:
    """Ourselves, except for root, whom Postgres refuses: then the data's owner, or a user made for this."""
    if os.geteuid() != 0:
        return None
    with suppress(FileNotFoundError):
        owner = data.stat()
        if owner.st_uid != 0:
            return Account(uid=owner.st_uid, gid=owner.st_gid)
    user = _server_user()
    account = Account(uid=user.pw_uid, gid=user.pw_gid)
    if data.exists():  # somebody copied the folder as root
        for path in (data, *data.rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
    return account


def _server_user() -> pwd.struct_passwd:
    for command in (
        ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_USER],
        ["adduser", "-S", "-D", "-H", SERVER_USER],  # Alpine's
    ):
        with suppress(KeyError):
            return pwd.getpwnam(SERVER_USER)
        with suppress(FileNotFoundError):
            subprocess.run(command, capture_output=True, check=False)
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError:
        return pwd.getpwnam("nobody")


def require_access(*, account: Account | None, paths: Sequence[Path]) -> None:
    """Refuse early, and by name, a folder that the server's user cannot enter."""
    if account is None:
        return
    on_the_way = [part for path in paths for part in (*reversed(path.parents), path)]
    blocked = subprocess.run(
        ["/bin/sh", "-c", 'for path do [ -x "$path" ] || { echo "$path"; exit; }; done', "sh", *on_the_way],
        cwd="/",
        env=ENVIRONMENT,
        user=account.uid,
        group=account.gid,
        extra_groups=(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()
    if blocked:
        raise CannotStartError(
            f"Postgres never runs as root, so its user needs to get through {blocked} and may not: put this folder "
            "somewhere everybody may enter (such as /srv or /opt), work as an ordinary user, or set DATABASE_URL and "
            "REDIS_URL to servers of your own."
        )
