#!/usr/bin/python3
"""Make the fonts of the boot archive: PSF2 files with Unicode tables.

usage: mkfont.py OUT_DIR UNIFONT_HEX TERMINUS_PSF_GZ...

unifont.hex becomes one PSF2 font with every glyph it has, sorted by code
point, in cells of 16x16 of which narrow glyphs use the left half. Terminus
fonts are unpacked under their own names; those of the older format PSF1 are
converted, so that the kernel has one format to read.
"""

import gzip
import pathlib
import struct
import sys

PSF2_MAGIC = 0x864AB572
PSF2_HAS_UNICODE_TABLE = 1
PSF2_HEADER = struct.Struct("<8I")
PSF1_MAGIC = b"\x36\x04"
PSF1_MODE_512, PSF1_MODE_TABLE = 1, 2
PSF1_SEQUENCE, PSF1_END = 0xFFFE, 0xFFFF

Glyphs = list[tuple[list[int], bytes]]  # code points, bitmap


def psf2(width: int, height: int, glyphs: Glyphs) -> bytes:
    """A PSF2 file of these glyphs."""
    size = (width + 7) // 8 * height
    header = PSF2_HEADER.pack(PSF2_MAGIC, 0, PSF2_HEADER.size,
                              PSF2_HAS_UNICODE_TABLE, len(glyphs), size,
                              height, width)
    table = b"".join(
        "".join(map(chr, points)).encode("utf-8") + b"\xff"
        for points, _ in glyphs)
    return header + b"".join(bitmap for _, bitmap in glyphs) + table


def read_unifont(path: pathlib.Path) -> Glyphs:
    """Lines of CODEPOINT:HEX, 16 bytes for narrow and 32 for wide glyphs."""
    glyphs: Glyphs = []
    for line in path.read_text().splitlines():
        code, _, digits = line.partition(":")
        point, rows = int(code, 16), bytes.fromhex(digits)
        if 0xD800 <= point < 0xE000:
            continue  # surrogates are no characters
        if len(rows) == 16:
            rows = b"".join(bytes((row, 0)) for row in rows)
        elif len(rows) != 32:
            sys.exit(f"{path}: U+{code} has {len(rows)} bytes, not 16 or 32")
        glyphs.append(([point], rows))
    return sorted(glyphs)


def convert_psf1(data: bytes) -> bytes:
    """PSF1 (8 pixels wide, UCS-2 table) to PSF2; sequences are left out."""
    mode, height = data[2], data[3]
    count = 512 if mode & PSF1_MODE_512 else 256
    bitmaps = [data[4 + i * height:4 + (i + 1) * height] for i in range(count)]
    points: list[list[int]] = [[]]
    in_sequence = False
    table = data[4 + count * height:] if mode & PSF1_MODE_TABLE else b""
    for (value,) in struct.iter_unpack("<H", table):
        if value == PSF1_END:
            points.append([])
            in_sequence = False
        elif value == PSF1_SEQUENCE:
            in_sequence = True
        elif not in_sequence:
            points[-1].append(value)
    return psf2(8, height, list(zip(points, bitmaps)))


def main() -> None:
    out, unifont, *others = map(pathlib.Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    glyphs = read_unifont(unifont)
    (out / "unifont.psf").write_bytes(psf2(16, 16, glyphs))
    for path in others:
        data = gzip.decompress(path.read_bytes())
        if data.startswith(PSF1_MAGIC):
            data = convert_psf1(data)
        (out / path.name.removesuffix(".gz")).write_bytes(data)


main()
