-- What module desktop offers: help(), docs and the annotation files read this.
return {
  module = "desktop",
  summary = "Desktops: virtual machines on the screen, in a person's words.",
  text = "A desktop is a virtual machine with a display. Which there are, and how "
    .. "they start, is in policies/desktop.lua; a VM of that name that somebody "
    .. "has defined is taken as it is. Each function answers when the thing is "
    .. "done, or says why not; without a name the policy's default is meant. "
    .. "Needs \"vm\" and \"display\".",
  intro = [==[
## Words

At the prompt all of it is words, and small typing errors are understood:

| words | what happens |
|---|---|
| `show linux desktop` | started if it is not up, then shown full, with the keyboard |
| `show linux desktop split`, `show linux in a window` | beside the prompt, or floating |
| `hide linux desktop` | off the screen; it runs on (F12 does the same) |
| `type "text" into linux` | typed, whoever has the keyboard |
| `press ctrl+alt+t in linux` | pressed together |
| `click 400 300 in linux` | at a pixel of its picture |
| `run weston-terminal in linux` | by its guest agent |
| `screenshot linux` | its picture as a file, shown or hidden |
| `shutdown linux`, `reset linux` | in order; as its button does |

## The one that looks after them

The domain `desktop` starts at boot, hidden, what the policy says so; starts a
crashed one again, with growing pauses, and tells a person; takes one that has
ended from the screen; shows what its console says until it has a picture;
pauses one that was hidden for `pause_minutes`, until it is shown.

When the machine is switched off, desktops and all guests that listen to their
power button shut down first; they have 20 seconds.

## Its disk

The disk that `ninja desktop` makes is only read. What changes goes to another
one, `desktop-state`, by an overlay (see [block](block.md)): it survives the end
of the guest and a loss of power. `desktop.reset_disk("linux", true)` is back to
the beginning, also when that disk is damaged or the base is a new one, which
`show linux desktop` refuses and says.

## Events

`vm_display` tells when a guest's picture comes (`on`), is drawn for the first
time (`first_frame`), has another size (`resized`) or goes (`off`); `vm_frame`
each part that is drawn; `surface` what is shown, hidden and resized on our
screen: see `event.types()`.

## Examples that are run

`tests/scenario/desktop.lua` says each of these words to a small guest and looks
at the pixels; `tests/scenario/desktop_crash.lua` has a policy of its own and a
guest that crashes. How to run such files: [scenarios](scenarios.md).
]==],
  functions = {
    {
      name = "show",
      args = { { "options", "table?", "name, layout: \"full\", \"split\" or "
        .. "\"window\"; or a name" } },
      returns = { { "string?", "its name and what was done (\"started\", "
        .. "\"resumed\", \"running\"), or nil, message, code" } },
      text = "Have it on the screen, started if it is not up, with keyboard and "
        .. "pointer.",
    },
    {
      name = "start",
      args = { { "name", "string?", "of a desktop" } },
      returns = { { "string?", "its name and what was done, or nil, message, "
        .. "code" } },
      text = "Start it if it is not up; where it is on the screen, or hidden, "
        .. "stays as it is.",
    },
    {
      name = "hide",
      args = { { "name", "string?", "of a desktop" } },
      returns = { { "string?", "its name, or nil, message, code" } },
      text = "Take it off the screen; it runs on.",
    },
    {
      name = "policy",
      args = {},
      returns = { { "table?", "what policies/desktop.lua says, or nil, message, "
        .. "code" } },
      text = "The policy in force, read anew.",
      example = "desktop.policy().default",
    },
    {
      name = "status",
      args = { { "name", "string?", "of a desktop" } },
      returns = { { "table?", "name, state, reason, shown, and what "
        .. "vm:display() tells" } },
      text = "How it is.",
      example = "desktop.status()",
    },
    {
      name = "type",
      args = { { "text", "string", "UTF-8; \"\\n\" is Enter" },
        { "name", "string?", "of a desktop" } },
      returns = { { "string?", "its name, or nil, message, code" } },
      text = "Type a text into it as on the key map in force, whoever has the "
        .. "keyboard. It is done when the guest's driver has taken all of it.",
    },
    {
      name = "press",
      args = { { "keys", "string", "\"ctrl+alt+t\"" },
        { "name", "string?", "of a desktop" } },
      returns = { { "string?", "its name, or nil, message, code" } },
      text = "Press keys together and release them.",
    },
    {
      name = "click",
      args = { { "x", "integer", "pixel of its picture" },
        { "y", "integer", "pixel of its picture" },
        { "name", "string?", "of a desktop" },
        { "button", "string?", "\"left\", \"right\" or \"middle\"" } },
      returns = { { "string?", "its name, or nil, message, code" } },
      text = "Press and release a button there.",
    },
    {
      name = "run",
      args = { { "command", "string", "a program" },
        { "name", "string?", "of a desktop" } },
      returns = { { "string?", "what it said, or that it runs on; or nil, "
        .. "message, code" } },
      text = "Run a program in it, by its guest agent, as the user whose desktop "
        .. "it is.",
    },
    {
      name = "screenshot",
      args = { { "name", "string?", "of a desktop" },
        { "path", "string?", "of the PNG file; /tmp/NAME.png" } },
      returns = { { "string?", "the path, or nil, message, code" } },
      text = "Save its picture, shown or hidden.",
    },
    {
      name = "shutdown",
      args = { { "name", "string?", "of a desktop" } },
      returns = { { "string?", "its name and how it ended, or nil, message, "
        .. "code" } },
      text = "End it in order; it is killed when it cannot be asked or takes "
        .. "longer than the policy says.",
    },
    {
      name = "reset",
      args = { { "name", "string?", "of a desktop" } },
      returns = { { "string?", "its name, or nil, message, code" } },
      text = "As its reset button does.",
    },
    {
      name = "reset_disk",
      args = { { "name", "string?", "of a desktop" },
        { "confirmed", "boolean?", "true: do it" } },
      returns = { { "string?", "its name, or nil, message, code" } },
      text = "Empty what was changed on its disks, which read as their bases "
        .. "again. Without true it only says what that would cost.",
    },
  },
}
