"""Print the path of a Chromium for the browser tests; on Debian as root, install one first.

Only the standard library: this runs before anything is known to be installed.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Fonts come along so that Hindi and Tamil names are not drawn as empty boxes in screenshots.
PACKAGES = ("chromium", "fonts-noto-core", "fonts-liberation")
HOW_TO = "Install it (Debian: apt install chromium; macOS: brew install --cask chromium) or set CHROMIUM_PATH to it."


def find() -> str | None:
    """The first Chromium on PATH that really starts, or None.

    Ubuntu ships a `chromium-browser` that only says "install the snap"; asking for its version tells them apart.
    """
    for name in NAMES:
        path = shutil.which(name)
        if path and starts(path):
            return path
    return None


def starts(path: str) -> bool:
    """Whether this is a browser that runs here."""
    try:
        subprocess.run([path, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def install() -> None:
    """Install the Debian packages; on failure print the last lines of apt-get and leave."""
    print("Installing Chromium for the browser tests (apt-get, once) ...", file=sys.stderr)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            last_lines = "\n".join(done.stdout.strip().splitlines()[-8:])
            sys.exit(f"{last_lines}\n`{' '.join(command)}` failed (see above). {HOW_TO}")


def main() -> None:
    """CHROMIUM_PATH, what is on PATH, or what apt-get installs; else a sentence about the way out."""
    chosen = os.environ.get("CHROMIUM_PATH")
    if chosen:
        if not starts(chosen):
            sys.exit(f"CHROMIUM_PATH is {chosen}, but no browser starts there. {HOW_TO}")
        print(chosen)
        return
    path = find()
    if path is None and os.geteuid() == 0 and shutil.which("apt-get"):
        install()
        path = find()
    if path is None:
        sys.exit(f"The browser tests need Chromium, and there is none on PATH. {HOW_TO}")
    print(path)


if __name__ == "__main__":
    main()
