#!/usr/bin/env python3
"""Write `arimo-subset.txt`: the advance widths and outlines of the characters that figures use.

    pip install fonttools
    python3 make_glyphs.py Arimo-Regular.ttf > arimo-subset.txt

One line a character: code point in hexadecimal, advance width, outline. The outline is TrueType's own
(absolute coordinates in font units, y upwards, quadratic curves), written as M x y, L x y, Q x y x y, Z.
"""

import hashlib
import sys

from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont

CHARACTERS = (
    [chr(c) for c in range(0x20, 0x7F)]
    + [chr(c) for c in range(0xA0, 0x100) if c != 0xAD]
    + [chr(c) for c in range(0x391, 0x3CA) if c not in (0x3A2,)]
    + list("–—‘’“”…−≈≤≥≠√∞∂→←↑↓∑€□")
)


class Outline(BasePen):
    """Collects one glyph as text; curves with implied points are split by BasePen."""

    def __init__(self, glyphs):
        super().__init__(glyphs)
        self.parts = []

    def _put(self, command, *points):
        self.parts.append(command + " ".join(f"{round(x)} {round(y)}" for x, y in points))

    def _moveTo(self, p):
        self._put("M", p)

    def _lineTo(self, p):
        self._put("L", p)

    def _qCurveToOne(self, control, p):
        self._put("Q", control, p)

    def _closePath(self):
        self.parts.append("Z")


def main(path):
    data = open(path, "rb").read()
    font = TTFont(path)
    names = font.getBestCmap()
    glyphs = font.getGlyphSet()
    print("# Outlines from Arimo Regular", font["name"].getDebugName(5), "by make_glyphs.py; see ARIMO-LICENSE.txt")
    print("# sha256 of the font", hashlib.sha256(data).hexdigest())
    print("units_per_em", font["head"].unitsPerEm)
    for character in sorted(set(CHARACTERS)):
        if ord(character) not in names:
            print(f"missing in the font: {character!r}", file=sys.stderr)
            continue
        name = names[ord(character)]
        pen = Outline(glyphs)
        glyphs[name].draw(pen)
        print(f"{ord(character):04X} {round(glyphs[name].width)} {''.join(pen.parts)}".rstrip())


main(sys.argv[1])
