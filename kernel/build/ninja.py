"""Writes build.ninja."""

from __future__ import annotations

import re
import shlex

from kernel.build.common import BUILD


class Ninja:
    """Collects the text of build.ninja."""

    def __init__(self) -> None:
        self.lines = ["# Written by configure.py.",
                      "ninja_required_version = 1.10", f"builddir = {BUILD}"]

    @staticmethod
    def path(path: object) -> str:
        return re.sub(r"([$ :])", r"$\1", str(path))

    def rule(self, name: str, command: str, description: str,
             **settings: object) -> None:
        self.lines += ["", f"rule {name}", f"  command = {command}",
                       f"  description = {description}"]
        self.lines += [f"  {k} = {v}" for k, v in settings.items()]

    def build(self, outputs: object, rule: str, inputs: object = (),
              implicit: object = (), order_only: object = (),
              **variables: object) -> None:
        def join(items: object) -> str:
            many = items if isinstance(items, (list, tuple)) else [items]
            return " ".join(self.path(i) for i in many)

        line = f"build {join(outputs)}: {rule} {join(inputs)}"
        line += f" | {join(implicit)}" if implicit else ""
        line += f" || {join(order_only)}" if order_only else ""
        self.lines.append(line)
        self.lines += [f"  {k} = {v}" for k, v in variables.items() if v]

    def compile(self, compiler: str, flags: list[str], source: object,
                out: object, order_only: object = ()) -> str:
        self.build(out, "cc", source, order_only=order_only,
                   cc=self.shell(compiler),
                   flags=shlex.join(flags).replace("$", "$$"))
        return str(out)

    @staticmethod
    def shell(word: object) -> str:
        return shlex.quote(str(word)).replace("$", "$$")
