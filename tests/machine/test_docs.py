"""The examples in docs/*.md run in the OS and give what they say.

In a ```lua block, `expression --> text` means that printing the expression
gives that text. A block whose first line is `-- not run` is only shown.
"""

import re

import pytest

from machine import ROOT

BLOCK = re.compile(r"^```lua\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks():
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for i, m in enumerate(BLOCK.finditer(page.read_text())):
            if not m.group(1).startswith("-- not run"):
                yield pytest.param(m.group(1), id=f"{page.stem}-{i + 1}")


def checked(code: str) -> str:
    """Turn the arrows into checks."""
    lines = []
    for line in code.splitlines():
        m = re.match(r"(.*\S)\s*-->\s*(.*\S)\s*$", line)
        lines.append(f"check([==[{m[2]}]==], {m[1]})" if m else line)
    return "\n".join(lines)


CHECK = """
local function check(expected, ...)
  local values = table.pack(...)
  for i = 1, values.n do values[i] = tostring(values[i]) end
  local text = table.concat(values, " ")
  if text ~= expected then
    error(("gives %q, the page says %q"):format(text, expected), 2)
  end
end
"""


@pytest.mark.parametrize("code", blocks())
def test_this_example_does_what_the_page_says(request, code):
    shared = request.getfixturevalue(
        "host" if '"/guests/' in code else "shared")
    text = CHECK + checked(code)
    for i in range(0, len(text), 400):  # in pieces that a line editor likes
        piece = text[i:i + 400].encode()
        quoted = "".join(f"\\{b:03d}" if b < 32 or b in b'"\\' or b > 126
                         else chr(b) for b in piece)
        mode = "w" if i == 0 else "a"
        shared.eval(f'local f = assert(io.open("/tmp/example.lua", "{mode}")) '
                    f'f:write("{quoted}") f:close()')
    shared.eval('assert(loadfile("/tmp/example.lua"))()')
