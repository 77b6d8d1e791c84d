"""Pages without the network: what Django and the database take."""

from functools import partial

from django.test import Client

from bench.frame import Act, timed


def visiting(client: Client, path: str) -> Act:
    """A visit, in milliseconds. Raises RuntimeError when there is no such page."""

    def visit() -> None:
        response = client.get(path, secure=True)
        if response.status_code != 200:
            raise RuntimeError(f"{path} answered {response.status_code}.")

    return partial(timed, visit)
