-- What module block offers: help(), docs and the annotation files read this.
return {
  module = "block",
  summary = "Disks and partitions, as bytes.",
  text = "Reading needs \"block.read\", writing \"block.write\". Nothing is "
    .. "ever formatted or written by itself: a disk is opened by name, and for "
    .. "writing only when that is asked for.",
  intro = [==[
## Example

```lua
local block = require "block"

local disk <close> = block.open("vda")
disk:read(512, 512):sub(1, 8) --> EFI PART
local _, why, code = disk:write(0, ("x"):rep(512))
why --> vda is open for reading; open it with {write = true}
code --> EPERM
block.open("vdz") --> nil vdz: No such device ENODEV
```

Partitions are disks, too: `vda1` is the first one of `vda`. They appear when
their table has been read, a moment after the disk (`scanned` in its entry of
`block.list()`).

## Overlays

`block.overlay { name = "mine", base = "vdb", state = "serial:changes" }` makes
a disk `mine`: it reads as the base does until something is written, which goes
to the state disk, 64 KiB at a time. The base is never written. What was flushed
survives a loss of power at any moment: data is on the medium before the map
that names it, and every sector of that map has a checksum.

## When a disk does not answer

A request that gets no answer for ten seconds (`block.timeout=` on the command
line, in seconds) makes RayOS reset the disk and try again. What has failed
three times answers `nil`, a message and `"ETIMEDOUT"`; a disk that went away
answers `"ENODEV"`, a medium that cannot be read `"EIO"`. `stats` counts it all.
]==],
  functions = {
    {
      name = "list",
      args = {},
      returns = { { "table[]",
        "name, parent, serial, type, label, uuid (when it has them), size, "
          .. "offset (on the parent), sector, physical_sector (bytes), "
          .. "read_only, scanned, stats" } },
      text = "All disks and partitions, each disk followed by its partitions.",
      example = "block.list()",
    },
    {
      name = "open",
      args = {
        { "name", "string", "as in block.list()" },
        { "options", "table?", "{write = true}: for writing, too" },
      },
      returns = { { "block.disk?", "or nil, message, code" } },
      text = "A handle of a disk or partition. Needs \"block.read\", and "
        .. "\"block.write\" for writing.",
      example = "block.open(\"vda\")",
    },
    {
      name = "overlay",
      args = {
        { "options", "table",
          "name, base, state: names of disks, or \"serial:\" and a serial "
            .. "number; reset = true empties the state disk, damaged or not" },
      },
      returns = { { "string?", "the name, or nil, message, code" } },
      text = "A new disk that reads from `base` and keeps on `state` what is "
        .. "written. A state disk of zeros is begun; one that holds something "
        .. "else, is damaged or was made over another base is refused.",
    },
    {
      name = "overlay_info",
      args = { { "name", "string", "of an overlay" } },
      returns = { { "table?",
        "base, state, used and size (bytes), or nil, message, code" } },
      text = "What an overlay is made of, and how full its state disk is.",
    },
    {
      name = "remove_overlay",
      args = { { "name", "string", "of an overlay" } },
      returns = { { "boolean?", "true, or nil, message, code" } },
      text = "Flush an overlay and let go of its disks; what was written stays "
        .. "on the state disk.",
    },
  },
  classes = {
    {
      name = "disk", object = "disk",
      text = "An open disk or partition. Offsets and sizes are bytes, "
        .. "multiples of its sector.",
      methods = {
        {
          name = "read",
          args = {
            { "offset", "integer", "bytes" },
            { "size", "integer", "bytes" },
          },
          returns = { { "string?", "or nil, message, code" } },
          text = "Read bytes; those that others write meanwhile may be old "
            .. "or new.",
        },
        {
          name = "write",
          args = {
            { "offset", "integer", "bytes" },
            { "data", "string", "whole sectors" },
          },
          returns = { { "boolean?", "true, or nil, message, code" } },
          text = "Write bytes. They survive a loss of power after the next "
            .. "flush.",
        },
        {
          name = "flush",
          returns = { { "boolean?", "true, or nil, message, code" } },
          text = "Have what was written put on the medium.",
        },
        {
          name = "discard",
          args = {
            { "offset", "integer", "bytes" },
            { "size", "integer", "bytes" },
          },
          returns = { { "boolean?", "true, or nil, message, code" } },
          text = "Say that these bytes are not needed any more.",
        },
        {
          name = "stats",
          returns = { { "table",
            "reads, writes, flushes, discards, read_bytes, written_bytes, "
              .. "errors, timeouts, retries, resets, busy (seconds)" } },
          text = "What it has done since it came. Resets are counted for "
            .. "disks, not for partitions.",
        },
        {
          name = "info",
          returns = { { "table", "as in block.list()" } },
          text = "What it is.",
        },
        {
          name = "close",
          returns = {},
          text = "Let go of it.",
        },
      },
    },
  },
}
