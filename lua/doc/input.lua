-- What module input offers: help(), docs and the annotation files read this.
return {
  module = "input",
  summary = "Keyboards and pointers: devices, focus, key maps, injection.",
  text = "Every key goes to the one stream that has the focus: the terminal, a "
    .. "guest. When the focus changes, what is held is released. Injection and "
    .. "settings need \"input\".",
  intro = [==[
## Example

```lua
local input = require "input"

input.keymap("de")
input.type("größer\n")                 -- as a hand would on that map
input.press("ctrl", "c") input.release("c", "ctrl")
for _, device in ipairs(input.devices()) do
  print(device.id, device.name, table.concat(device.held, " "))
end
input.keymap("us")
```

## Key maps

`lua/keymaps/` has `us`, `uk`, `de` and `fr`. A map is a table: for each key up to
four texts of one character (plain, shift, AltGr, shift and AltGr); `"dead ^"` waits for
the next character, and `compose` says what the two make. `input.keymap` also takes
such a table itself. A map with a mistake is refused with the entry that is wrong, and
the old one stays.

## Events

Keys, buttons and motions raise the events `input_key`, `input_button` and
`input_motion` before anybody gets them. A rule that consumes the press of a key keeps
it from every stream, its release as well.
]==],
  functions = {
    {
      name = "devices",
      args = {},
      returns = { { "table[]", "id, name, bus, vendor, product; keys, relative, "
        .. "absolute, leds: what it has; held: names; events" } },
      text = "The input devices. Number 0 is the hand of press and type.",
      example = "input.devices()",
    },
    {
      name = "streams",
      args = {},
      returns = { { "table[]", "id, name, held (how many keys), events, focused" } },
      text = "Who ever had the focus.",
      example = "input.streams()",
    },
    {
      name = "focus",
      args = {},
      returns = { { "string?", "name of the stream that gets the keys" } },
      text = "Who gets the keys now.",
      example = "input.focus()",
    },
    {
      name = "keymap",
      args = { { "map", "string|table?", "a name, or a map; absent: tell" } },
      returns = {
        { "string|boolean?", "the name in force; true" },
        { "string?", "why not: the entry that is wrong" },
        { "string?", "code" },
      },
      text = "Which key gives which character, for all keyboards.",
      example = "input.keymap(\"us\")",
    },
    {
      name = "repeat_rate",
      args = {
        { "delay", "number?", "seconds until the first repeat, 0: none" },
        { "interval", "number?", "seconds between repeats" },
      },
      returns = { { "number|boolean?", "delay, interval; or true" } },
      text = "How a key that is held repeats; without arguments: as it is now.",
      example = "input.repeat_rate(0.25, 0.033)",
    },
    {
      name = "leds",
      args = {},
      returns = { { "table", "num, caps, scroll" } },
      text = "What the keyboards show.",
      example = "input.leds().caps",
    },
    {
      name = "keys",
      args = {},
      returns = { { "table<string, integer>", "codes by name" } },
      text = "Names of all keys and buttons.",
      example = "input.keys().f12 --> 88",
    },
    {
      name = "press",
      args = { { "...", "string", "names: \"ctrl\", \"a\", \"mouse_left\"" } },
      returns = { { "boolean?", "true" }, { "string?", "why not" },
        { "string?", "code" } },
      text = "Press keys or buttons; they stay down until release.",
      example = "input.press(\"shift\")",
    },
    {
      name = "release",
      args = { { "...", "string", "names" } },
      returns = { { "boolean?", "true" }, { "string?", "why not" },
        { "string?", "code" } },
      text = "Release them.",
      example = "input.release(\"shift\")",
    },
    {
      name = "type",
      args = { { "text", "string", "UTF-8; \"\\n\" is Enter" } },
      returns = { { "boolean?", "true" }, { "string?", "why not" },
        { "string?", "code" } },
      text = "Type a text on the map in force, all of it or nothing.",
      example = "input.type(\"\")",
    },
    {
      name = "move",
      args = {
        { "x", "integer", "steps to the right" },
        { "y", "integer", "steps down" },
        { "wheel", "integer?", "clicks away from the user" },
      },
      returns = { { "boolean?", "true" }, { "string?", "why not" },
        { "string?", "code" } },
      text = "Move the pointer as a mouse does.",
      example = "input.move(0, 0)",
    },
  },
}
