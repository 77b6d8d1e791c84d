"""`python -m design.document_fonts InterVariable.woff2 /usr/share/fonts/truetype/noto`: the fonts of PDF documents.

Written to core/fonts, because the platform makes documents while it runs. Inter (npm package `inter-ui` 4.1.1, OFL) in two
weights for Latin letters, figures and the rupee sign; Noto (Debian's fonts-noto-core 20201225, OFL) for names in the
scripts of India.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

from design.font import CHARACTERS

TARGET = Path(__file__).resolve().parent.parent / "core" / "fonts"
WEIGHTS = {"Regular": 400, "SemiBold": 600}
LATIN = [*CHARACTERS, *range(0x100, 0x180), *range(0x1E00, 0x1F00), 0x218, 0x219, 0x21A, 0x21B, 0x2116]
SCRIPTS = [
    "NotoSansDevanagari",
    "NotoSansBengali",
    "NotoSansGurmukhi",
    "NotoSansGujarati",
    "NotoSansOriya",
    "NotoSansTamil",
    "NotoSansTelugu",
    "NotoSansKannada",
    "NotoSansMalayalam",
    "NotoNaskhArabic",
]
_FAMILY, _STYLE, _FULL, _POSTSCRIPT, _TYPO_FAMILY, _TYPO_STYLE = 1, 2, 4, 6, 16, 17


def main() -> None:
    """Write Inter in two weights, and each script as it is, both without hints for screens."""
    TARGET.mkdir(exist_ok=True)
    for style, weight in WEIGHTS.items():
        font = instancer.instantiateVariableFont(TTFont(sys.argv[1]), {"opsz": 14, "wght": weight})
        _name(font, style, weight)
        _write(font, f"Inter-{style}", LATIN, ["kern", "liga", "calt", "ccmp", "locl", "mark", "mkmk", "tnum"])
    for script in SCRIPTS:
        font = TTFont(Path(sys.argv[2]) / f"{script}-Regular.ttf")
        _write(font, f"{script}-Regular", sorted(font.getBestCmap()), ["*"])


def _name(font: TTFont, style: str, weight: int) -> None:
    """Two fonts of one family: a program finds them by family and weight."""
    font["OS/2"].usWeightClass = weight
    names = font["name"]
    for number in (_TYPO_FAMILY, _TYPO_STYLE, 25):
        names.removeNames(nameID=number)
    for number, text in {
        _FAMILY: "Inter" if style == "Regular" else f"Inter {style}",
        _STYLE: "Regular",
        _FULL: f"Inter {style}",
        _POSTSCRIPT: f"Inter-{style}",
        _TYPO_FAMILY: "Inter",
        _TYPO_STYLE: style,
    }.items():
        names.setName(text, number, 3, 1, 0x409)


def _write(font: TTFont, name: str, characters: list[int], features: list[str]) -> None:
    options = subset.Options()
    options.layout_features = features
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 17]
    options.hinting = False
    options.notdef_outline = True
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    target = TARGET / f"{name}.ttf"
    subset.save_font(font, str(target), options)
    print(f"{target.name}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
