-- What module fs offers: help(), docs and the annotation files read this.
return {
  module = "fs",
  summary = "Files: /boot, /tmp (memory), /dev, disks at /esp and /guests.",
  text = "Whole files at once; io has streams. Reading needs \"fs.read\", "
    .. "changing needs \"fs.write\"; \"fs\" is both.",
  intro = [==[
## Example

```lua
local fs = require "fs"

fs.mkdir("/tmp/diary")
fs.write("/tmp/diary/monday", "rain\n") --> true
fs.read("/tmp/diary/monday") == "rain\n" --> true
fs.stat("/tmp/diary/monday").size --> 5
for _, entry in ipairs(fs.list("/tmp/diary")) do
  print(entry.name, entry.type, entry.size)
end
fs.remove("/tmp/diary/monday") --> true
fs.remove("/tmp/diary") --> true
```

What fails gives `nil`, a message and the error's name, so `assert(fs.read(path))`
says what is wrong:

```lua
local fs = require "fs"

local text, message, code = fs.read("/tmp/nothing")
text --> nil
code --> ENOENT
select(3, fs.write("/boot/x", "")) --> EROFS
```

The library `io` works on the same files, line by line or with `seek`:

```lua
local file <close> = assert(io.open("/tmp/lines", "w+"))
file:write("one\ntwo\n")
file:seek("set")
file:read("l") --> one
file:read("l") --> two
```

## Disks

Two FAT volumes (12, 16 or 32 bits) are mounted when their disk comes, read-only:

| path | what |
|---|---|
| `/esp` | what RayOS was started from: it has the `rayos/boot.tar` that the loader read |
| `/guests` | the volume with the label `RAYOSGUEST`: kernels and disks for virtual machines |

The first that fits is taken; when its disk goes, what is there answers
`ENODEV` until the next one comes. A disk is ready when `block.list()` says
`scanned`. Upper and lower case of ASCII letters are the same in names there.
]==],
  functions = {
    {
      name = "list",
      args = { { "path", "string?", "else /" } },
      returns = {
        { "table?", "rows of name, type (file, dir, device), size" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "What is in a directory, in order of names.",
      example = "fs.list(\"/boot\")",
    },
    {
      name = "stat",
      args = { { "path", "string" } },
      returns = {
        { "table?", "type, size, mtime, read_only" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "What a path is.",
      example = "fs.stat(\"/tmp\").type",
    },
    {
      name = "exists",
      args = { { "path", "string" } },
      returns = { { "boolean" } },
      text = "Is there something of that name?",
      example = "fs.exists(\"/boot/lua/init.lua\")",
    },
    {
      name = "read",
      args = { { "path", "string" } },
      returns = {
        { "string?", "the content" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "A whole file.",
      example = "#fs.read(\"/boot/lua/init.lua\")",
    },
    {
      name = "sha256",
      args = { { "path", "string" } },
      returns = {
        { "string?", "64 hexadecimal digits" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "A file's SHA-256, read piece by piece: of files of any size.",
      example = "fs.sha256(\"/boot/lua/init.lua\")",
    },
    {
      name = "write",
      args = { { "path", "string" }, { "data", "string" } },
      returns = {
        { "true?" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "Make a file, or replace its content.",
      example = "fs.write(\"/tmp/note\", \"remember\")",
    },
    {
      name = "mkdir",
      args = { { "path", "string" } },
      returns = {
        { "true?" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "Make a directory.",
      example = "fs.mkdir(\"/tmp/place\")",
    },
    {
      name = "remove",
      args = { { "path", "string" } },
      returns = {
        { "true?" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "Remove a file or an empty directory.",
      example = "fs.write(\"/tmp/short\", \"\") fs.remove(\"/tmp/short\")",
    },
    {
      name = "rename",
      args = { { "from", "string" }, { "to", "string" } },
      returns = {
        { "true?" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "Give a file another name in the same file system.",
      example = "fs.write(\"/tmp/a\", \"\") fs.rename(\"/tmp/a\", \"/tmp/b\")",
    },
  },
}
