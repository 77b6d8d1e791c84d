"""`python -m sandbox --port 8001 --data var/sandbox.sqlite3`: test payments on this machine, until it is stopped."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from sandbox.control import keep_account
from sandbox.server import Sandbox

REFUSAL = "The payment sandbox only runs for development: its money is none. Set DEBUG=true if that is what you want."
# The default account's keys come by the environment, as a command line is there for everybody to read.
KEYS = {
    "key_id": "RAZORPAY_KEY_ID",
    "key_secret": "RAZORPAY_KEY_SECRET",
    "webhook_secret": "RAZORPAY_WEBHOOK_SECRET",
}


def main(environment: Mapping[str, str]) -> None:
    """Serve until somebody asks to stop."""
    parser = argparse.ArgumentParser(prog="sandbox", description="A Razorpay whose money is none.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the file it remembers everything in")
    parser.add_argument("--webhook-url", default="", help="where the default account's events go")
    given = parser.parse_args()
    if environment.get("DEBUG", "").lower() not in ("1", "true", "yes", "on"):
        sys.exit(REFUSAL)
    asked_to_stop = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: asked_to_stop.set())
    sandbox = Sandbox(given.data)
    if keys := {name: environment[variable] for name, variable in KEYS.items() if environment.get(variable)}:
        with sandbox.store.transaction():
            keep_account(sandbox.store, name="The platform", webhook_url=given.webhook_url, **keys)
    try:
        sandbox.serve(given.port)
    except OSError as refusal:
        sys.exit(f"The payment sandbox cannot use port {given.port}: {refusal.strerror}.")
    asked_to_stop.wait()
    sandbox.end()


if __name__ == "__main__":
    main(os.environ)
