"""The ratios as a picture: a bar a row, its goal as a mark."""

import pathlib

from PIL import Image, ImageDraw, ImageFont

WIDTH, LABEL, RIGHT = 1100, 330, 130
ROW, TOP, BOTTOM = 26, 50, 44
WHITE, INK, GREY = (255, 255, 255), (40, 40, 40), (205, 205, 205)
GOOD, BAD, MARK = (70, 130, 180), (205, 92, 60), (20, 20, 20)
SCALE_MAX = 1.25  # what is longer is cut, with its number beside it
FONTS = ("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",)


def _font(size: int):
    for path in FONTS:
        if pathlib.Path(path).exists():
            return ImageFont.truetype(path, size)
    return ImageFont.load_default()


def _x(ratio: float) -> int:
    span = WIDTH - LABEL - RIGHT
    return LABEL + round(span * min(ratio, SCALE_MAX) / SCALE_MAX)


def _grid(draw: ImageDraw.ImageDraw, bottom: int, font) -> None:
    for step in range(6):
        x = _x(step / 4)
        draw.line([x, TOP - 6, x, bottom], fill=GREY)
        draw.text((x - 12, bottom + 6), f"{step / 4:.2f}", fill=INK, font=font)


def _bar(draw: ImageDraw.ImageDraw, row: dict, y: int, font) -> None:
    ratio, goal = row["ratio"], row["goal"]
    end = max(_x(ratio), LABEL + 1)
    draw.text((10, y + 4), row["row"], fill=INK, font=font)
    draw.rectangle([LABEL, y + 4, end, y + ROW - 6],
                   fill=GOOD if ratio <= goal else BAD)
    draw.line([_x(goal), y, _x(goal), y + ROW - 2], fill=MARK, width=3)
    cut = " (cut)" if ratio > SCALE_MAX else ""
    # Beside the bar, and never on the goal's mark.
    x = end + 6
    if x - 4 <= _x(goal) <= x + 56:
        x = _x(goal) + 6
    draw.text((x, y + 4), f"{ratio:.3f}{cut}", fill=INK, font=font)


def draw(rows: list[dict], path: pathlib.Path) -> None:
    bottom = TOP + ROW * len(rows)
    image = Image.new("RGB", (WIDTH, bottom + BOTTOM), WHITE)
    canvas = ImageDraw.Draw(image)
    font = _font(13)
    canvas.text((10, 14), "RayOS / Linux: shorter is better, the mark is the "
                "goal (boot.*_of_firmware: RayOS / the firmware)",
                fill=INK, font=font)
    _grid(canvas, bottom, font)
    for i, row in enumerate(rows):
        _bar(canvas, row, TOP + ROW * i, font)
    image.save(path)
