"""Disk images for tests, byte by byte: GPT (UEFI 2.9 5.3), MBR (5.2.1)."""

import pathlib
import random
import struct
import uuid
import zlib

LINUX = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4")
ENTRIES = 128
ENTRY = 128


class Partition:
    """Blocks `first` to `last`, both included."""

    def __init__(self, first: int, last: int, label: str = "",
                 kind: uuid.UUID = LINUX, read_only: bool = False,
                 identity: uuid.UUID | None = None):
        self.first, self.last, self.label, self.kind = first, last, label, kind
        self.attributes = 1 << 60 if read_only else 0
        self.identity = identity or uuid.UUID(int=first << 64 | last)

    def entry(self) -> bytes:
        return struct.pack("<16s16sQQQ72s", self.kind.bytes_le,
                           self.identity.bytes_le, self.first, self.last,
                           self.attributes, self.label.encode("utf-16-le"))


def gpt_header(my: int, other: int, blocks: int, entries_at: int,
               entries: bytes, count: int, first: int) -> bytes:
    crc = zlib.crc32(entries)
    body = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0,
                       my, other, first, blocks - first, bytes(16),
                       entries_at, count, ENTRY, crc)
    return body[:16] + struct.pack("<I", zlib.crc32(body)) + body[20:]


def gpt(blocks: int, partitions: list[Partition], block: int = 512,
        count: int = ENTRIES) -> tuple[bytes, bytes]:
    """The first and the last bytes of a GPT disk."""
    entries = b"".join(p.entry() for p in partitions).ljust(count * ENTRY,
                                                             b"\0")
    room = -(-len(entries) // block)
    protective = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff" * 3, 1,
                             min(blocks - 1, 0xFFFFFFFF))
    mbr_block = (bytes(446) + protective + bytes(48) + b"\x55\xaa").ljust(
        block, b"\0")
    head = gpt_header(1, blocks - 1, blocks, 2, entries, count, 2 + room)
    tail = gpt_header(blocks - 1, 1, blocks, blocks - 1 - room, entries, count,
                      2 + room)
    entries = entries.ljust(room * block, b"\0")
    return (mbr_block + head.ljust(block, b"\0") + entries,
            entries + tail.ljust(block, b"\0"))


def mbr_table(*rows: tuple[int, int, int]) -> bytes:
    """A sector with up to four (type, first, count)."""
    table = b"".join(struct.pack("<B3sB3sII", 0, bytes(3), kind, bytes(3),
                                 first, count) for kind, first, count in rows)
    return (bytes(440) + struct.pack("<I", 0xCAFE0123) + bytes(2)
            + table.ljust(64, b"\0") + b"\x55\xaa")


def make(path: pathlib.Path, size: int, *pieces: tuple[int, bytes]) -> None:
    """A sparse file with these bytes at these offsets; negative ones count
    from the end."""
    with open(path, "wb") as f:
        f.truncate(size)
        for offset, data in pieces:
            f.seek(offset if offset >= 0 else size + offset)
            f.write(data)


def make_gpt(path: pathlib.Path, size: int, partitions: list[Partition],
             *pieces: tuple[int, bytes], block: int = 512) -> None:
    head, tail = gpt(size // block, partitions, block)
    make(path, size, (0, head), (-len(tail), tail), *pieces)


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)
