#!/usr/bin/python3
"""Make a GPT disk image with one EFI system partition, without root.

usage: mkimage.py [--size MIB] [--cmdline TEXT] OUT ESP_DIR

The partition is FAT32, starts at 1 MiB and holds a copy of ESP_DIR; with
--cmdline the copy's boot command line is TEXT. The image is sparse, and the
same for the same files: identifiers are derived from names, times are fixed.
"""

from __future__ import annotations

import argparse
import binascii
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import uuid

SECTOR = 512
FIRST_LBA = 2048  # the partition: 1 MiB
TIMESTAMP = 1704067200  # 2024-01-01, for everything on the FAT

# UEFI 2.9, 5.3: GUID partition table.
GPT_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
GPT_ENTRY = struct.Struct("<16s16sQQQ72s")
GPT_ENTRIES = 128
GPT_ENTRY_SECTORS = GPT_ENTRIES * GPT_ENTRY.size // SECTOR
GPT_REVISION = 0x00010000
ESP_TYPE = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:rayos:disk-image")

# Files whose names are longer than 8.3 get a long name by mtools itself.
BOOT_CFG = pathlib.PurePosixPath("rayos/boot.cfg")


def protective_mbr(sectors: int) -> bytes:
    """UEFI 2.9, 5.2.3: one partition of type 0xEE over the whole disk."""
    length = min(sectors - 1, 0xFFFFFFFF)
    record = struct.pack("<B3sB3sII", 0, b"\x00\x02\x00", 0xEE,
                         b"\xff\xff\xff", 1, length)
    return bytes(446) + record + bytes(48) + b"\x55\xaa"


def gpt_header(at: int, other: int, entries_at: int, sectors: int,
               entries: bytes) -> bytes:
    """One of the two headers, with its checksum."""
    first, last = 2 + GPT_ENTRY_SECTORS, sectors - 2 - GPT_ENTRY_SECTORS
    disk = uuid.uuid5(NAMESPACE, "disk").bytes_le

    def pack(checksum: int) -> bytes:
        return GPT_HEADER.pack(
            b"EFI PART", GPT_REVISION, GPT_HEADER.size, checksum, 0, at, other,
            first, last, disk, entries_at, GPT_ENTRIES, GPT_ENTRY.size,
            binascii.crc32(entries))

    return pack(binascii.crc32(pack(0))).ljust(SECTOR, b"\0")


def write_gpt(image: pathlib.Path, sectors: int, last_lba: int) -> None:
    """Both copies of the table, and the protective MBR."""
    name = "EFI system partition".encode("utf-16-le")
    entries = GPT_ENTRY.pack(
        ESP_TYPE.bytes_le, uuid.uuid5(NAMESPACE, "esp").bytes_le, FIRST_LBA,
        last_lba, 0, name).ljust(GPT_ENTRIES * GPT_ENTRY.size, b"\0")
    last = sectors - 1
    backup = last - GPT_ENTRY_SECTORS
    with open(image, "r+b") as f:
        f.write(protective_mbr(sectors))
        f.write(gpt_header(1, last, 2, sectors, entries))
        f.write(entries)
        f.seek(backup * SECTOR)
        f.write(entries)
        f.write(gpt_header(last, 1, backup, sectors, entries))


def run(*command: str) -> None:
    """Run a tool that may live where only root's PATH leads."""
    env = os.environ | {
        "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
        "SOURCE_DATE_EPOCH": str(TIMESTAMP), "MTOOLS_SKIP_CHECK": "1",
        "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    tool = shutil.which(command[0], path=env["PATH"])
    if not tool:
        raise SystemExit(f"mkimage: {command[0]} not found")
    done = subprocess.run([tool, *command[1:]], env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise SystemExit(f"mkimage: {command[0]} failed:\n{done.stdout}")


def write_fat(image: pathlib.Path, tree: pathlib.Path, last_lba: int) -> None:
    """Format the partition inside the image and copy the tree into it."""
    kib = (last_lba + 1 - FIRST_LBA) * SECTOR // 1024
    run("mkfs.vfat", "-F", "32", "-s", "1", "-n", "RAYOS", "-i", "52415953",
        "--invariant", "--offset", str(FIRST_LBA), str(image), str(kib))
    for path in sorted(tree.rglob("*")):
        os.utime(path, (TIMESTAMP, TIMESTAMP))
    run("mcopy", "-i", f"{image}@@{FIRST_LBA * SECTOR}", "-s", "-m", "-Q",
        *map(str, sorted(tree.iterdir())), "::/")


def make_image(out: pathlib.Path, esp: pathlib.Path, mib: int,
               cmdline: str | None) -> None:
    sectors = mib * 1024 * 1024 // SECTOR
    # Keep 1 MiB at the end for the second table.
    last_lba = sectors - FIRST_LBA - 1
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        tree = pathlib.Path(scratch) / "esp"
        image = pathlib.Path(scratch) / "image"
        shutil.copytree(esp, tree)
        if cmdline is not None:
            (tree / BOOT_CFG).write_text(cmdline + "\n")
        with open(image, "wb") as f:
            f.truncate(sectors * SECTOR)
        write_fat(image, tree, last_lba)
        write_gpt(image, sectors, last_lba)
        image.replace(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=64, metavar="MIB",
                        help="size of the disk (default 64)")
    parser.add_argument("--cmdline", metavar="TEXT",
                        help="boot command line instead of the tree's")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("esp_dir", type=pathlib.Path)
    args = parser.parse_args()
    if args.size < 36:  # FAT32 wants 65525 clusters at least
        parser.error("the disk must have 36 MiB at least")
    make_image(args.out, args.esp_dir, args.size, args.cmdline)


if __name__ == "__main__":
    main()
