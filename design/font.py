"""`python -m design.font InterVariable.woff2`: the part of Inter we use, as static/fonts/inter-latin1.woff2.

The source is the variable font of the npm package `inter-ui` 4.1.1 (package/variable/InterVariable.woff2, OFL). Run it
again only for a new version of Inter or for a new character; other scripts come from the reader's own device.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

TARGET = Path(__file__).resolve().parent.parent / "static" / "fonts" / "inter-latin1.woff2"

CHARACTERS = [
    *range(0x20, 0x7F),
    *range(0xA0, 0x100),
    0x131,  # dotless i
    *(0x152, 0x153),  # oe
    *(0x2013, 0x2014),  # dashes
    *range(0x2018, 0x201F),  # quotation marks
    *(0x2022, 0x2026),  # bullet, ellipsis
    *(0x20AC, 0x20B9),  # euro, rupee
    *range(0x2190, 0x2194),  # arrows
    0x2212,  # minus
]
FEATURES = ["kern", "liga", "calt", "ccmp", "locl", "mark", "mkmk", "tnum", "case"]


def main() -> None:
    """Drop every other character, pin the optical size, keep the weights 400 to 700."""
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = FEATURES
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.hinting = False
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=CHARACTERS)
    font = TTFont(sys.argv[1])
    subsetter.subset(font)
    font = instancer.instantiateVariableFont(font, {"opsz": 14, "wght": (400, 700)})
    subset.save_font(font, str(TARGET), options)
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
