"""The pages docs/<module>.md are what lua/docpages.lua makes of lua/doc."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "lua/doc").glob("*.lua"))
LUA = os.environ.get("LUA", "lua5.4")


def run(script: str, out: pathlib.Path, *sources: pathlib.Path) -> None:
    subprocess.run([LUA, script, str(out), *map(str, sources)], cwd=ROOT,
                   check=True, timeout=60)


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: p.stem)
def test_this_page_is_current(source, tmp_path):
    run("lua/docpages.lua", tmp_path, source)
    made, = tmp_path.iterdir()
    committed = ROOT / "docs" / made.name
    assert committed.exists() and committed.read_text() == made.read_text(), \
        f"run: {LUA} lua/docpages.lua docs lua/doc/*.lua"


def test_the_annotations_are_lua(tmp_path):
    run("lua/annotate.lua", tmp_path, *SOURCES)
    made = sorted(tmp_path.iterdir())
    assert [p.stem for p in made] == [p.stem for p in SOURCES]
    for path in made:
        subprocess.run([LUA, "-e", f'assert(loadfile("{path}"))'], check=True,
                       timeout=60)
