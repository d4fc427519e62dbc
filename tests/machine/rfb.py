"""A client of the remote frame buffer protocol (RFC 6143), as far as Bochs'
display library "rfb" needs it: 8 bits a pixel, raw rectangles, a screen that
changes its size, keys, and a pointer.

A thread keeps a picture of the screen that is always the newest.
"""

import socket
import struct
import threading

import numpy as np
from PIL import Image

# RFC 6143, 7.4: 8 bits a pixel, depth 8, little endian, true colour; maxima
# and shifts of red, green and blue. It is the only format that Bochs has.
PIXEL_FORMAT = struct.Struct(">BBBBHHHBBBxxx").pack(
    8, 8, 0, 1, 7, 7, 3, 0, 3, 6)
SET_PIXEL_FORMAT, SET_ENCODINGS, UPDATE_REQUEST, KEY_EVENT = 0, 2, 3, 4
POINTER_EVENT = 5
RAW, DESKTOP_SIZE = 0, -223

# X11 key symbols of the keys that are not a character (QEMU's names of them).
KEYSYMS = {
    "ret": 0xFF0D, "tab": 0xFF09, "esc": 0xFF1B, "backspace": 0xFF08,
    "home": 0xFF50, "left": 0xFF51, "up": 0xFF52, "right": 0xFF53,
    "down": 0xFF54, "pgup": 0xFF55, "pgdn": 0xFF56, "end": 0xFF57,
    "insert": 0xFF63, "delete": 0xFFFF, "shift": 0xFFE1, "ctrl": 0xFFE3,
    "alt": 0xFFE9, "caps_lock": 0xFFE5,
    **{f"f{i}": 0xFFBD + i for i in range(1, 13)},
}


# RFC 6143, 7.5.5.
BUTTONS = {"left": 1, "middle": 2, "right": 4, "up": 8, "down": 16}


class Rfb:
    def __init__(self, port: int):
        self._sock = socket.create_connection(("127.0.0.1", port), 5)
        self._pixels = np.zeros((1, 1), np.uint8)
        self._lock = threading.Lock()
        self.error: Exception | None = None
        self._handshake()
        self._sock.settimeout(None)
        threading.Thread(target=self._read_loop, daemon=True).start()

    def _read(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            piece = self._sock.recv(count - len(data))
            if not piece:
                raise ConnectionError("the frame buffer's server went away")
            data += piece
        return bytes(data)

    def _handshake(self) -> None:
        version = self._read(12)
        if not version.startswith(b"RFB 003."):
            raise ConnectionError(f"not a frame buffer server: {version!r}")
        self._sock.sendall(b"RFB 003.003\n")
        security, = struct.unpack(">I", self._read(4))
        if security != 1:
            raise ConnectionError(f"security type {security}, not 1 (none)")
        self._sock.sendall(b"\1")  # the display may be shared
        width, height = struct.unpack(">HH", self._read(4))
        self._read(16)  # its pixel format, which is ours
        self._read(*struct.unpack(">I", self._read(4)))  # its name
        self._resize(width, height)
        self._sock.sendall(
            struct.pack(">Bxxx", SET_PIXEL_FORMAT) + PIXEL_FORMAT
            + struct.pack(">BxHii", SET_ENCODINGS, 2, RAW, DESKTOP_SIZE))
        self._request(whole=True)

    def _request(self, whole: bool = False) -> None:
        height, width = self._pixels.shape
        self._sock.sendall(struct.pack(
            ">BBHHHH", UPDATE_REQUEST, not whole, 0, 0, width, height))

    def _resize(self, width: int, height: int) -> None:
        if not 0 < width * height <= 1 << 24:
            raise ConnectionError(f"a screen of {width}x{height}?")
        self._pixels = np.zeros((height, width), np.uint8)

    def _rectangle(self) -> bool:
        """Read one; true when it changed the size of the screen."""
        x, y, w, h, kind = struct.unpack(">HHHHi", self._read(12))
        if kind == DESKTOP_SIZE:
            with self._lock:
                self._resize(w, h)
            return True
        if kind != RAW:
            raise ConnectionError(f"rectangle of encoding {kind}")
        data = np.frombuffer(self._read(w * h), np.uint8).reshape(h, w)
        with self._lock:
            target = self._pixels[y:y + h, x:x + w]
            target[:] = data[:target.shape[0], :target.shape[1]]
        return False

    def _read_loop(self) -> None:
        try:
            while True:
                kind, = self._read(1)
                if kind == 0:  # a frame buffer update
                    count, = struct.unpack(">xH", self._read(3))
                    resized = any([self._rectangle() for _ in range(count)])
                    self._request(whole=resized)
                elif kind == 3:  # text of a clipboard
                    self._read(*struct.unpack(">xxxI", self._read(7)))
                elif kind != 2:  # a bell
                    raise ConnectionError(f"message of type {kind}")
        except (OSError, struct.error) as e:
            self.error = e

    def image(self) -> Image.Image:
        """The screen as it stands, with the colours that 8 bits give."""
        with self._lock:
            pixels = self._pixels.copy()
        channels = [(pixels & 7) * 255.0 / 7, (pixels >> 3 & 7) * 255.0 / 7,
                    (pixels >> 6) * 255.0 / 3]
        return Image.fromarray(np.stack(channels, -1).round().astype(np.uint8))

    def key(self, name: str, down: bool) -> None:
        """Press or release a key: a character, or a name in KEYSYMS."""
        symbol = KEYSYMS[name] if name in KEYSYMS else ord(name)
        self._sock.sendall(struct.pack(">BBxxI", KEY_EVENT, down, symbol))

    def pointer(self, x: int, y: int, buttons: int) -> None:
        """Where the pointer is now in the picture, and the buttons it holds
        down: a mask of BUTTONS."""
        self._sock.sendall(struct.pack(">BBHH", POINTER_EVENT, buttons, x, y))

    def close(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._sock.close()
