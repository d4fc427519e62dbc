"""The desktop's background: rays of light over a dark sky, as PNG. It is small, as
the guest has to unpack it before its first picture, and is smooth when enlarged."""

from __future__ import annotations

import math
import struct
import zlib

WIDTH, HEIGHT = 480, 270
TOP, BOTTOM = (13, 18, 30), (30, 62, 84)
LIGHT = (255, 190, 105)
SUN = (1.04, 1.16)  # in parts of the width and height
BEAMS = ((0.1, 9.0, 0.6), (1.7, 17.0, 0.4), (0.6, 31.0, 0.2))  # phase, number, weight


def chunk(kind: bytes, data: bytes) -> bytes:
    return (struct.pack(">I", len(data)) + kind + data
            + struct.pack(">I", zlib.crc32(kind + data)))


def glow(x: float, y: float) -> float:
    """How much of the light is there: less with the distance, in beams."""
    dx, dy = SUN[0] - x, (SUN[1] - y) * HEIGHT / WIDTH
    angle, far = math.atan2(dy, dx), math.hypot(dx, dy)
    beams = sum(w * (0.5 + 0.5 * math.sin(n * angle + p)) for p, n, w in BEAMS)
    return math.exp(-2.6 * far) * (0.35 + 0.65 * beams)


def row(number: int) -> bytes:
    y = number / HEIGHT
    sky = [a + (b - a) * y ** 1.5 for a, b in zip(TOP, BOTTOM)]
    out = bytearray(b"\0")  # no filter
    for column in range(WIDTH):
        light = 0.62 * glow(column / WIDTH, y)
        out += bytes(int(s + (l - s) * light)
                     for s, l in zip(sky, LIGHT))
    return bytes(out)


def png() -> bytes:
    rows = b"".join(row(n) for n in range(HEIGHT))
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))
