#!/usr/bin/python3
"""Run scenarios (Lua files that test something inside the OS) without a screen.

usage: run.py FILE... [--put HOSTFILE:NAME] [--get NAME:HOSTFILE] [--arg TEXT]
              [--cpus N] [--memory MIB] [--timeout SECONDS] [--cmdline TEXT]
              [--guests]

Each FILE gets a machine of its own. What it prints is TAP and comes to standard
output. The status is 0 when every scenario kept its plan and all was ok, else 1;
what was wrong is told on standard error. docs/scenarios.md has the whole story.
"""

from __future__ import annotations

import argparse
import base64
import dataclasses
import hashlib
import io
import json
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
# QEMU's emulated EPYC without what the emulation lacks, lest it warns of each.
EMULATED_CPU = "EPYC" + "".join(",-" + feature for feature in (
    "rdseed", "sha-ni", "fxsr-opt", "misalignsse", "3dnowprefetch", "osvw",
    "topoext", "nrip-save", "xsavec"))
MARK = "%scenario "
BOOT_TIMEOUT = 60  # seconds from power-on to the scenario's first line
PANIC_TIMEOUT = 20  # for the report
MARGIN = 30  # for sending the files, and for power-off
SHOWN = 30  # lines of the machine's text in a report
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]")
ARGUMENTS = "arguments"  # lua/scenario_host.lua reads it


# --- the disk image ---

def archive_with(files: dict[str, bytes]) -> bytes:
    """The boot archive with these files in /boot/scenario."""
    out = io.BytesIO()
    names = {f"scenario/{name}" for name in files}
    names |= {str(p) for name in names
              for p in pathlib.PurePosixPath(name).parents} - {"."}
    with tarfile.open(BUILD / "boot.tar") as old, \
            tarfile.open(fileobj=out, mode="w",
                         format=tarfile.USTAR_FORMAT) as new:
        for member in old:
            if member.name not in names:
                new.addfile(member, old.extractfile(member))
        for name in sorted(names):
            info = tarfile.TarInfo(name)
            data = files.get(name.removeprefix("scenario/"))
            if data is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
            else:
                info.size = len(data)
            new.addfile(info, io.BytesIO(data or b""))
    return out.getvalue()


def make_image(work: pathlib.Path, files: dict[str, bytes],
               cmdline: str) -> pathlib.Path:
    esp, image = work / "esp", work / "rayos.img"
    shutil.copytree(BUILD / "esp", esp)
    (esp / "rayos/boot.tar").write_bytes(archive_with(files))
    sums = "".join(
        f"{hashlib.sha256((esp / 'rayos' / n).read_bytes()).hexdigest()}  {n}\n"
        for n in ("kernel.elf", "boot.tar"))
    (esp / "rayos/sha256sums").write_text(sums)
    subprocess.run([sys.executable, ROOT / "kernel/boot/mkimage.py",
                    "--cmdline", cmdline, image, esp], check=True)
    return image


# --- the machine ---

def machine_command(args: argparse.Namespace, tools: dict,
                    work: pathlib.Path, image: pathlib.Path) -> list[str]:
    variables = work / "ovmf-vars.fd"
    shutil.copyfile(tools["ovmf_vars"], variables)
    guests = ["-drive", "id=guests,if=none,format=raw,readonly=on,"
              f"file={BUILD}/guests.img",
              "-device", "virtio-blk-pci,drive=guests,serial=guests"]
    return [
        tools["qemu"], "-nodefaults", "-no-reboot", "-machine", "q35",
        "-accel", "kvm" if tools["kvm"] else "tcg,thread=multi",
        "-cpu", "host" if tools["kvm"] else EMULATED_CPU,
        "-smp", str(args.cpus), "-m", str(args.memory),
        "-drive", "if=pflash,format=raw,readonly=on,file="
        + tools["ovmf_code"],
        "-drive", f"if=pflash,format=raw,file={variables}",
        "-drive", f"if=none,id=disk,format=raw,file={image}",
        "-device", "virtio-blk-pci,drive=disk",
        "-device", "VGA,vgamem_mb=16", "-display", "none", "-nic", "none",
        "-serial", "stdio", *(guests if args.guests else [])]


class Lines:
    """The machine's serial line, line by line, with a limit of time."""

    def __init__(self, process: subprocess.Popen):
        self.queue: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, args=(process.stdout,),
                         daemon=True).start()

    def _read(self, pipe) -> None:
        for raw in pipe:
            text = raw.decode("utf-8", "replace")
            self.queue.put(ESCAPES.sub("", text).rstrip("\r\n"))
        self.queue.put(None)

    def next(self, deadline: float) -> str | None:
        """None: the machine is off. TimeoutError."""
        try:
            return self.queue.get(
                timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise TimeoutError from None


# --- what a scenario says ---

@dataclasses.dataclass
class Outcome:
    problems: list[str] = dataclasses.field(default_factory=list)
    files: dict[str, bytes] = dataclasses.field(default_factory=dict)
    plan: int | None = None
    points: int = 0
    failed: list[str] = dataclasses.field(default_factory=list)
    seen: list[str] = dataclasses.field(default_factory=list)
    end: str | None = None
    panic: bool = False

    def take_tap(self, line: str) -> None:
        m = re.match(r"(not )?ok\b\s*(\d*)", line)
        if m:
            self.points += 1
            if m[2] and int(m[2]) != self.points:
                self.problems.append(
                    f"point {m[2]} came where {self.points} was due")
            if m[1]:
                self.failed.append(line)
        m = re.fullmatch(r"1\.\.(\d+)\s*", line)
        if m and self.plan is not None:
            self.problems.append("there is more than one plan")
        elif m:
            self.plan = int(m[1])
        if line.startswith("Bail out!"):
            self.problems.append(line)

    def judge(self) -> None:
        """What is wrong with all of it, added to the problems."""
        add = self.problems.append
        if self.failed:
            add(f"{len(self.failed)} of {self.points} not ok:")
            self.problems += [f"  {line}" for line in self.failed]
        if self.panic:
            add("the system panicked; its report is above")
            return
        if self.end and self.end.startswith("exit") and \
                self.end != "exit 0" and not self.failed:
            add(f"it ended with status {self.end.split()[1]}")
        if any(p.startswith(("Bail out!", "time-out")) for p in self.problems):
            return
        if self.plan is None:
            add("there is no plan: call t.plan(n) first or t.done() last")
        elif self.plan != self.points:
            add(f"the plan was {self.plan}, but {self.points} came")
        elif not self.points:
            add("it tests nothing")


def take_file(lines: Lines, header: str, deadline: float) -> tuple[str, bytes]:
    size, name = header.split(" ", 1)
    data = b""
    while len(data) < int(size):
        data += base64.b64decode(lines.next(deadline) or "!", validate=True)
    return name, data


def follow(lines: Lines, args: argparse.Namespace) -> Outcome:
    """Read all that the machine says until it is off."""
    o = Outcome()
    deadline, running = time.monotonic() + BOOT_TIMEOUT, False
    while True:
        try:
            line = lines.next(deadline)
        except TimeoutError:
            o.problems.append(f"time-out: nothing for {args.timeout:g} s "
                              "and more; the machine was ended")
            break
        if line is None:
            break
        o.seen.append(line)
        if "RayOS panic" in line:
            o.panic = True
            deadline = time.monotonic() + PANIC_TIMEOUT
        if line.startswith(MARK):
            word, _, rest = line.removeprefix(MARK).partition(" ")
            if word == "begin":
                running = True
                deadline = time.monotonic() + args.timeout + MARGIN
            elif word == "end":
                o.end = rest
            elif word == "file":
                name, data = take_file(lines, rest, deadline)
                o.files[name] = data
        elif running and (line or o.panic):
            print(line, flush=True)
            if not o.panic:
                o.take_tap(line)
    if o.end is None and not o.panic and not o.problems:
        o.problems.append("the machine ended before the scenario did"
                          if running else "the scenario did not begin")
    return o


def run_file(path: pathlib.Path, args: argparse.Namespace,
             tools: dict) -> Outcome:
    files = {path.name: path.read_bytes(),
             ARGUMENTS: "".join(a + "\n" for a in args.arg).encode()}
    for host, name in args.put:
        files[name] = pathlib.Path(host).read_bytes()
    cmdline = (f"testhooks headless panic=reset scenario=/boot/scenario/"
               f"{path.name} scenario_timeout={args.timeout:g} {args.cmdline}")
    with tempfile.TemporaryDirectory(prefix="rayos-scenario-") as d:
        work = pathlib.Path(d)
        image = make_image(work, files, cmdline)
        process = subprocess.Popen(
            machine_command(args, tools, work, image),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            return follow(Lines(process), args)
        finally:
            process.kill()
            process.wait()


def save_files(files: dict[str, bytes],
               wanted: list[tuple[str, str]]) -> bool:
    good = True
    for name, host in wanted:
        if name in files:
            target = pathlib.Path(host)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files[name])
        else:
            good = False
            got = ", ".join(sorted(files)) or "nothing"
            print(f"\n--get {name}: FAILED, no scenario left /tmp/out/{name} "
                  f"(what was left: {got})", file=sys.stderr)
    return good


def report(path: pathlib.Path, outcome: Outcome) -> bool:
    if not outcome.problems:
        return True
    print(f"\n{path}: FAILED", *(f"  {p}" for p in outcome.problems),
          sep="\n", file=sys.stderr)
    if outcome.end is None and not outcome.panic:
        print("  the last lines of the machine:",
              *(f"  | {line}" for line in outcome.seen[-SHOWN:]),
              sep="\n", file=sys.stderr)
    return False


def pair(text: str) -> tuple[str, str]:
    left, colon, right = text.partition(":")
    if not (left and colon and right):
        raise argparse.ArgumentTypeError(f"two names with ':' between, not "
                                         f"{text!r}")
    return left, right


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("files", nargs="+", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--put", action="append", default=[], type=pair,
                        metavar="HOSTFILE:NAME",
                        help="give a file to the scenario, as "
                        "/boot/scenario/NAME")
    parser.add_argument("--get", action="append", default=[], type=pair,
                        metavar="NAME:HOSTFILE",
                        help="fetch what the scenario left as /tmp/out/NAME")
    parser.add_argument("--arg", action="append", default=[], metavar="TEXT",
                        help="an argument for the scenario's `...`")
    parser.add_argument("--cpus", type=int, default=2, help="CPUs")
    parser.add_argument("--memory", type=int, default=512, metavar="MIB",
                        help="size of memory")
    parser.add_argument("--timeout", type=float, default=60, metavar="SECONDS",
                        help="for each scenario")
    parser.add_argument("--cmdline", default="", metavar="TEXT",
                        help="more words for the kernel's command line")
    parser.add_argument("--guests", action="store_true",
                        help="the disk that `ninja guests` makes, at /guests")
    args = parser.parse_args()
    if args.guests and not (BUILD / "guests.img").exists():
        parser.error("--guests: `ninja guests` makes that disk")
    for path in [*args.files, *(pathlib.Path(h) for h, _ in args.put)]:
        if not path.is_file():
            parser.error(f"{path}: there is no such file")
    for path in args.files:
        if not re.fullmatch(r"[\w.-]+", path.name):
            parser.error(f"{path}: only letters, digits and . _ - in names")
    if any("\n" in a for a in args.arg):
        parser.error("--arg: no line ends")
    return args


def main() -> int:
    args = parse_arguments()
    try:
        tools = json.loads((BUILD / "run.json").read_text())
    except OSError:
        sys.exit("scenario: not built yet; run ./configure.py --setup && ninja")
    good, left = True, {}
    for path in args.files:
        print(f"# {path}", flush=True)
        outcome = run_file(path, args, tools)
        outcome.judge()
        good = report(path, outcome) and good
        left |= outcome.files
    good = save_files(left, args.get) and good
    return 0 if good else 1


sys.exit(main())
