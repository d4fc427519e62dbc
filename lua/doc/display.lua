-- What module display offers: help(), docs and the annotation files read this.
return {
  module = "display",
  summary = "Surfaces, layouts, windows and notices on the screen.",
  text = "A surface is a picture that a domain draws, and that the compositor "
    .. "shows, scaled and clipped, over or beside others. Showing and hiding "
    .. "never disturbs who draws. Needs \"display\"; what reads pixels needs "
    .. "\"display.read\".",
  intro = [==[
## A surface of one's own

```lua
local display = require "display"

local s <close> = display.create("note", 200, 100)
s:fill(0, 0, 200, 100, 0xff1b222c) -- 0xAARRGGBB
s:text(10, 10, "hello", 0xfff2c062)
s:present() -- only now it can be seen
s:set { shown = true, x = 40, y = 60, width = 200, height = 100, z = 10 }
display.flush() --> true
display.get("note"):info().shown --> true
```

It ends with its domain, or with `s:close()`. Drawing methods: `fill(x, y,
width, height, colour)`, `gradient(..., top, bottom)`, `blend`, `rounded(...,
radius, colour)`, `shadow(..., radius, extent, colour)`, `text(x, y, text,
colour [, font [, bold [, width]]])`, `image(x, y, width, height, data [,
blend])` with four bytes a pixel (blue, green, red, alpha), `resize(width,
height)`. `take_input()` gives it keyboard and pointer while it has the focus;
`read_input()` is what came.

`set` changes how it is shown: `shown, x, y, width, height, z, scaling` ("none",
"integer", "fit", "fill"), `blend` (look at alpha), `opacity` (0 to 255) and
`passive` (the pointer sees through it). Higher `z` is nearer: the terminal has
0, surfaces 10, windows 20, the bar 100, notices 200 (`display.z`).

## Layouts

```lua
local display = require "display"

local drawer = display.test_surface { name = "moving", width = 160, height = 100 }
display.layout { left = "terminal", right = "moving", ratio = 0.6 } --> true
display.layout { window = "moving", title = "It moves" } --> true
display.layout { full = "moving" } --> true
display.layout "full" --> true
display.get("moving"):info().shown --> false
drawer:kill()
```

`"full"` is the terminal alone. The mouse moves a window by its title and
resizes it by its edges. Events of type `surface` tell what was shown, hidden or
resized, those of type `window` what the mouse did: see `event.types()`.
F12 takes screen and keyboard back to the terminal, the key left of 1 hides and
shows what is presented: both are reflexes.

## The bar at the top

It is drawn by the domain `status` from what `/boot/policies/status.lua` says
about once a second. A policy that fails leaves a plain bar that says why.
]==],
  functions = {
    {
      name = "size",
      returns = { { "integer?", "width in pixels; or nil, message, code" },
        { "integer", "height" } },
      text = "The screen.",
      example = "display.size()",
    },
    {
      name = "area",
      returns = { { "table?", "x, y, width, height; or nil, message, code" } },
      text = "The part of the screen below the bar.",
      example = "display.area().width",
    },
    {
      name = "surfaces",
      returns = { { "table", "nearest first: name, width, height, shown, x, y, "
        .. "view_width, view_height, z, scaling, blend, opacity, passive" } },
      text = "All surfaces, whoever draws them.",
      example = "print(display.surfaces())",
    },
    {
      name = "create",
      args = { { "name", "string", "1 to 31 bytes, not taken" },
        { "width", "integer", "pixels" }, { "height", "integer" } },
      returns = { { "surface?", "hidden and empty; or nil, message, code" } },
      text = "Make a surface to draw on. Needs \"display\".",
      example = "display.create(\"mine\", 100, 50):close()",
    },
    {
      name = "get",
      args = { { "name", "string" } },
      returns = { { "surface?", "or nil, message, code" } },
      text = "A surface by its name, to place, show or hide it.",
      example = "display.get(\"terminal\"):info().z",
    },
    {
      name = "show",
      args = { { "name", "string" } },
      returns = { { "boolean?", "true; or nil, message, code" } },
      text = "Show a surface, nearest of its kind, and give it the keyboard if it "
        .. "takes it. Needs \"display\".",
      example = "display.show(\"terminal\")",
    },
    {
      name = "hide",
      args = { { "name", "string" } },
      returns = { { "boolean?", "true; or nil, message, code" } },
      text = "Take a surface off the screen; the keyboard is the terminal's. "
        .. "Needs \"display\".",
      example = "display.hide(\"nothing\")",
    },
    {
      name = "toggle",
      args = { { "name", "string" } },
      returns = { { "boolean?", "true; or nil, message, code" } },
      text = "Show what is hidden, hide what is shown. Needs \"display\".",
      example = "display.toggle(\"nothing\")",
    },
    {
      name = "layout",
      args = { { "request", "string|table",
        "\"full\", a name, or full; left, right; top, bottom; window: names; "
          .. "with ratio, scaling, and for windows title, x, y, width, height, "
          .. "min_width, min_height" } },
      returns = { { "boolean?", "true; or nil, message, code" } },
      text = "Arrange the screen. Needs \"display\".",
      example = "display.layout \"full\"",
    },
    {
      name = "notify",
      args = { { "notice", "string|table",
        "a text, or text, title, level (info, warning, error), seconds" } },
      returns = { { "boolean?", "true; or nil, message, code" } },
      text = "Show a notice in the upper right corner for some seconds.",
      example = "display.notify { title = \"Tea\", text = \"is ready\" }",
    },
    {
      name = "screenshot",
      args = { { "path", "string" }, { "x", "integer?" }, { "y", "integer?" },
        { "width", "integer?" }, { "height", "integer?" } },
      returns = { { "boolean?", "true; or nil, message, code" } },
      text = "Save what the screen shows, or a rectangle of it, as PNG. Needs "
        .. "\"display.read\" and \"fs.write\".",
      example = "display.screenshot(\"/tmp/screen.png\", 0, 0, 64, 64)",
    },
    {
      name = "pixel",
      args = { { "x", "integer" }, { "y", "integer" } },
      returns = { { "integer?", "red, 0 to 255; or nil, message, code" },
        { "integer", "green" }, { "integer", "blue" } },
      text = "One pixel of the composed screen. Needs \"display.read\".",
      example = "display.pixel(0, 0)",
    },
    {
      name = "flush",
      returns = { { "boolean?", "true; or nil, message, code" } },
      text = "Wait until all that was presented before is on the screen.",
      example = "display.flush()",
    },
    {
      name = "background",
      args = { { "top", "integer", "0xRRGGBB" }, { "bottom", "integer?" } },
      returns = {},
      text = "Colours behind everything. Needs \"display\".",
      example = "display.background(0x223042, 0x0d1117)",
    },
    {
      name = "pointer",
      returns = { { "integer", "x" }, { "integer", "y" },
        { "boolean", "whether it has ever moved" } },
      text = "Where the mouse pointer is.",
      example = "display.pointer()",
    },
    {
      name = "stats",
      returns = { { "table", "frames, pixels, busy (seconds)" } },
      text = "What the compositor has done since the start.",
      example = "display.stats().frames",
    },
    {
      name = "test_surface",
      args = { { "options", "table?",
        "name (\"test\"), width (320), height (200), fps (30), hide_after "
          .. "(seconds), frames (then the picture stands)" } },
      returns = { { "domain.handle?", "who draws; or nil, message, code" } },
      text = "A surface with a moving, known picture: colour bars, a square, and "
        .. "the frame's number as sixteen fields. Needs \"display\" and "
        .. "\"domain\".",
      example = "display.test_surface { name = \"bars\", frames = 1 }:kill()",
    },
  },
}
