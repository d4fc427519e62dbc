"""Debian's archive of packages, reached through apt-get without touching the
system's own lists."""

from __future__ import annotations

import email
import os
import re
from typing import Iterator

from kernel.build.common import Path, fail

ELSEWHERE = "Sources from elsewhere are given by --third-party DIR."


def release_codename() -> str:
    text = Path("/etc/os-release").read_text()
    match = re.search(r'^VERSION_CODENAME="?([^"\n]+)', text, re.MULTILINE)
    return match.group(1) if match else ""


def deb822_entries(text: str) -> Iterator[dict[str, str]]:
    """Paragraphs of a .sources file, keys in lower case."""
    text = re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        # The syntax is that of mail headers.
        headers = email.message_from_string(paragraph)
        yield {key.lower(): value for key, value in headers.items()}


def one_line_entries(text: str) -> Iterator[dict[str, str]]:
    """Lines of a .list file in the same shape."""
    pattern = re.compile(
        r"\s*(deb|deb-src)\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)")
    for line in text.splitlines():
        match = pattern.match(line)
        if match:
            options = dict(o.split("=", 1) for o in (match[2] or "").split()
                           if "=" in o)
            yield {"types": match[1], "uris": match[3], "suites": match[4],
                   "components": match[5].strip(),
                   **{k.lower(): v for k, v in options.items()}}


def is_debians_own(entry: dict[str, str], codename: str) -> bool:
    """Whether an apt entry is the distribution's, not a third party's."""
    suites = {s + tail for s in (codename, "stable")
              for tail in ("", "-updates", "-security", "/updates")}
    if entry.get("enabled", "yes").lower() in ("no", "false", "0", "off"):
        return False
    if "main" not in entry.get("components", "").split() or \
            not suites.issuperset(entry.get("suites", "").split()):
        return False
    signed_by = entry.get("signed-by")
    if signed_by:
        return "debian-archive-" in signed_by
    return all(re.search(r"(/debian(-security)?|security\.debian\.org)/*$", u)
               for u in entry.get("uris", "").split())


def source_list(kind: str, etc: Path = Path("/etc/apt")) -> str:
    """Entries for "deb-src" or "deb" in deb822 format, from the machine's own."""
    entries: list[dict[str, str]] = []
    for path in [etc / "sources.list", *sorted(etc.glob("sources.list.d/*"))]:
        if path.is_file() and path.suffix in (".list", ".sources"):
            entries += (one_line_entries if path.suffix == ".list" else
                        deb822_entries)(path.read_text())
    codename = release_codename()
    paragraphs: list[str] = []
    for entry in entries:
        if not is_debians_own(entry, codename):
            continue
        uris = " ".join(u.rstrip("/") for u in entry["uris"].split())
        paragraph = (f"Types: {kind}\nURIs: {uris}\nSuites: "
                     f"{entry['suites']}\nComponents: main\n")
        if "signed-by" in entry:
            paragraph += f"Signed-By: {entry['signed-by']}\n"
        if paragraph not in paragraphs:
            paragraphs.append(paragraph)
    if not paragraphs:
        fail(f"{etc} has no entry of Debian's own for '{codename}'. "
             + ELSEWHERE)
    return "\n".join(paragraphs)


def private_apt(directory: Path, kind: str = "deb-src") -> list[str]:
    """apt-get over lists of its own: the system's are never touched."""
    parts, lists = directory / "parts", directory / "lists"
    parts.mkdir()
    (lists / "partial").mkdir(parents=True)
    (parts / "src.sources").write_text(source_list(kind))
    options = {
        "Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": parts,
        "Dir::State::lists": lists, "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "", "APT::Update::Error-Mode": "any"}
    if os.geteuid() == 0:  # the sandbox user cannot write there
        options["APT::Sandbox::User"] = "root"
    return ["apt-get", "-q", *(f"-o{k}={v}" for k, v in options.items())]
