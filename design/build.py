"""`python -m design.build [--check]`: writes static/css/site.css and static/icons/sprite.svg from their sources.

Needs only PyPI packages: `lightningcss` bundles and minifies, `lucide` ships its outlines in a zip. The results are
committed; `--check` fails when they are not those of the sources.
"""

import re
import sys
import zipfile
from pathlib import Path

import lightningcss
import lucide

from core import colour

ROOT = Path(__file__).resolve().parent.parent
CSS = ROOT / "design" / "css"
STYLESHEET = ROOT / "static" / "css" / "site.css"
SPRITE = ROOT / "static" / "icons" / "sprite.svg"

# Without this list lightningcss writes `width >= 60em`, which Safari understands only from 16.4.
BROWSERS = ["chrome >= 105", "safari >= 15.4", "firefox >= 115"]

# `<c-icon name="x">`, `{% icon "x" %}`, and `icon="x"` on a component or in Python.
_ICON = re.compile(r'<c-icon\s[^>]*?\bname="([a-z0-9-]+)"|\{% icon "([a-z0-9-]+)"|\bicon="([a-z0-9-]+)"')
_WORD = re.compile(r'"([a-z0-9-]+)"')  # a context.py makes menus: each of its words that names an icon counts
_NOT_SOURCES = {".venv", ".git", "var", "design", "tests"}


class SourceError(Exception):
    """The sources ask for something that does not exist."""


def stylesheet() -> str:
    """Tokens and all layers as one minified stylesheet."""
    portal = {
        mode: {
            **colour.root_tokens(mode),
            **colour.accent_tokens(colour.PORTAL_ACCENT, mode),
        }
        for mode in colour.MODES
    }
    parts = [
        "@layer reset, base, layout, components, screens, utilities, print;",
        colour.themed_css(portal["light"], portal["dark"]),
    ]
    parts += [(CSS / f"{name}.css").read_text() for name in ("fonts", "reset", "base", "layout", "components")]
    parts += [path.read_text() for path in sorted((CSS / "screens").glob("*.css"))]
    parts += [(CSS / f"{name}.css").read_text() for name in ("utilities", "print")]
    css: str = lightningcss.process_stylesheet(
        "\n".join(parts), filename="site.css", minify=True, browsers_list=BROWSERS
    )
    return css.strip() + "\n"


def icons_in_use(known: set[str]) -> set[str]:
    """The names of all icons that templates, Python and the menus mention."""
    used: set[str] = set()
    for pattern in ("*.html", "*.py"):
        for path in ROOT.rglob(pattern):
            if path.relative_to(ROOT).parts[0] in _NOT_SOURCES:
                continue
            text = path.read_text()
            mentioned = {name for names in _ICON.findall(text) for name in names if name}
            for name in sorted(mentioned - known):
                raise SourceError(f'{path.relative_to(ROOT)} asks for the icon "{name}", which Lucide does not have.')
            used |= mentioned
            if path.name == "context.py":
                used |= known.intersection(_WORD.findall(text))
    return used


def sprite() -> str:
    """One file of outlines, each a symbol named as in Lucide."""
    symbols = []
    with zipfile.ZipFile(Path(lucide.__file__).parent / "lucide.zip") as outlines:
        known = {name.removesuffix(".svg") for name in outlines.namelist() if name.endswith(".svg")}
        for name in sorted(icons_in_use(known)):
            drawing = outlines.read(f"{name}.svg").decode().partition(">")[2].rpartition("</svg>")[0]
            body = re.sub(r">\s+<", "><", re.sub(r"\s+", " ", drawing)).replace(" />", "/>").strip()
            symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'


def main() -> int:
    """Write what changed, or say what is out of date."""
    try:
        made = {STYLESHEET: stylesheet(), SPRITE: sprite()}
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        if stale:
            names = " and ".join(str(path.relative_to(ROOT)) for path in stale)
            print(
                f"{names} out of date: run `python -m design.build` and commit the result.",
                file=sys.stderr,
            )
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path])
        print(f"wrote {path.relative_to(ROOT)}, {path.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
