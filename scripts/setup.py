"""Make `.venv` and install the requirement files into it; `dev` adds what tests and checks need.

Only the standard library, and nothing that an old Python could not parse: it must live to say that it is too old.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".installed"
OLDEST = (3, 11)


def main() -> None:
    """Do nothing, within milliseconds, when everything is in place; else make it so or say in a sentence why not."""
    if tuple(sys.version_info) < OLDEST:
        sys.exit(
            f"RHMS needs Python {OLDEST[0]}.{OLDEST[1]} or newer and this is {sys.version.split()[0]}: "
            "name a newer one, as in `PYTHON=python3.12 make run`."
        )
    names = ["requirements.txt", "requirements-dev.txt"] if sys.argv[1:] == ["dev"] else ["requirements.txt"]
    files = [file_identity(name) for name in names]
    kept = STAMP.read_text().splitlines() if STAMP.exists() else []
    is_ours = PYTHON.exists() and (not kept or kept[0] == venv_identity())
    if kept and is_ours and set(files) <= set(kept):
        return
    if not os.access(str(VENV if VENV.is_dir() else ROOT), os.W_OK):
        sys.exit(f"RHMS installs its packages into {VENV} and may not write there: make this folder yours with chown.")
    # Root's database server runs as a user of its own, which has to be able to read these files; none is secret.
    os.umask(0o022)
    if not (is_ours and works()):
        make_venv()
    elif kept:
        STAMP.unlink()
    install(names)
    STAMP.write_text("\n".join([venv_identity(), *files]) + "\n")


def venv_identity() -> str:
    """Changes when the folder moves (its scripts name the old one) or its Python is replaced by another version."""
    return f"{VENV} {PYTHON.resolve()}"


def file_identity(name: str) -> str:
    """Changes with the file."""
    return f"{name} {hashlib.sha256((ROOT / name).read_bytes()).hexdigest()}"


def works() -> bool:
    """Whether there is a `.venv` whose Python starts, is new enough, and has pip."""
    judge = f"import sys, pip; sys.exit(sys.version_info < {OLDEST!r})"
    try:
        return subprocess.run([str(PYTHON), "-c", judge], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def make_venv() -> None:
    """Make an empty `.venv`, in the place of an unusable one."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        sys.exit("This Python cannot make virtual environments: `apt install python3-venv` (as root), then try again.")
    if VENV.exists() or VENV.is_symlink():
        print("The packages in .venv belong to another place or Python: making it anew ...", flush=True)
        try:
            VENV.unlink() if VENV.is_symlink() else shutil.rmtree(str(VENV))
        except OSError as refusal:
            sys.exit(f"Cannot remove the unusable {VENV} ({refusal.strerror}): remove it yourself, then try again.")
    made = quietly([sys.executable, "-m", "venv", str(VENV)])
    if made.returncode != 0:
        shutil.rmtree(str(VENV), ignore_errors=True)
        sys.exit(
            f"{last_lines(made.stdout)}\nMaking .venv failed (see above): on Debian and Ubuntu "
            "`apt install python3-venv` (as root) helps."
        )


def install(names: "list[str]") -> None:
    """Install the requirement files with pip."""
    print("Installing the Python packages into .venv (once, about a minute) ...", flush=True)
    quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--root-user-action=ignore"]
    files = [part for name in names for part in ("--requirement", str(ROOT / name))]
    done = quietly([str(PYTHON), "-m", "pip", "install", *quiet, *files])
    if done.returncode != 0:
        sys.exit(
            f"{last_lines(done.stdout)}\nInstalling the Python packages failed (pip's last lines are above): "
            "check the network and pip's settings, then try again."
        )


def quietly(command: "list[str]") -> "subprocess.CompletedProcess[str]":
    """Run a command to its end and keep what it says."""
    return subprocess.run(
        command,
        env={**os.environ, "PIP_USER": "0"},  # a user install, some people's default, is refused inside .venv
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def last_lines(text: str) -> str:
    """Enough of it to see why."""
    return "\n".join(text.strip().splitlines()[-12:])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("\nStopped; the next start goes on from here.")
