"""QEMU's machine protocol (QMP): commands with answers, over a unix socket."""

import json
import socket
import time


class QmpError(Exception):
    """The command was refused; the text is QEMU's own."""


class Qmp:
    def __init__(self, path: str, timeout: float = 20.0):
        self._sock = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + timeout
        while True:
            try:
                self._sock.connect(path)
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self._sock.settimeout(timeout)
        self._lines = self._sock.makefile("r", encoding="utf-8")
        self.events: list[dict] = []
        json.loads(self._lines.readline())  # the greeting
        self.command("qmp_capabilities")

    def command(self, name: str, **arguments):
        """Run one command; events that come in between are kept."""
        request = {"execute": name, "arguments": arguments}
        self._sock.sendall(json.dumps(request).encode() + b"\n")
        while True:
            line = self._lines.readline()
            if not line:
                raise QmpError(f"{name}: QEMU went away")
            answer = json.loads(line)
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise QmpError(f"{name}: {answer['error']['desc']}")
            else:
                return answer["return"]

    def close(self) -> None:
        self._lines.close()
        self._sock.close()
