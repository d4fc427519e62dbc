-- What module dev offers: help(), docs and the annotation files read this.
return {
  module = "dev",
  summary = "The machine's devices, their drivers, and the policy over them.",
  text = "Shows the device tree, gives devices to drivers and guests, and "
    .. "takes them away. Looking is free; changing needs \"dev\".",
  intro = [==[
## Looking

The command `dev` shows the tree; `dev.list()` gives the same as data, and
`dev(name)` one device. Its fields are what the tree, the bus and the driver
know about it: `vendor`, `class`, `irq`, `bar0`, a driver's counters.

```lua
local dev = require "dev"

#dev.tree() > 100 --> true
local disk
for _, facts in ipairs(dev.list()) do
  if facts.driver == "virtio_pci" then
    disk = dev(facts.name)
  end
end
disk.state --> bound
disk.bus --> pci
("%04x"):format(disk.vendor) --> 1af4
select(3, dev("pci:ff:1f.7")) --> ENODEV
```

## Who gets what

The policy in `policies/devices.lua` says of every device that it is *ours*
(and, if it wants, with which driver), *reserved for a guest*, or *left alone*.
It is a list of rules; the first that matches a device counts:

```
return {
  { class = "0200*", owner = "guest", guest = "router" },
  { vendor = 0x1af4, device = { 0x1001, 0x1042 }, owner = "ours" },
  { name = "pci:00:1f.*", owner = "left", why = "part of the board" },
}
```

or a function that gets a device's facts and answers such a table, or nil. What
nothing is said about is ours and gets the first driver that matches: that is
also the built-in default, which is in force until the policy has been loaded,
and stays if it cannot be. The policy runs in a domain of its own with little
time and memory; its decisions are put in force all together, or not at all.

```lua
local dev = require "dev"

dev.reload_policy() --> true
dev.policy().source --> /boot/policies/devices.lua
io.open("/tmp/broken.lua", "w"):write("return { { owner = 'nobody' } }"):close()
local ok, why, code = dev.reload_policy("/tmp/broken.lua")
ok --> nil
why:match("rule 1: owner: one of .*") ~= nil --> true
dev.policy().error == why --> true
dev.reload_policy() --> true
```
]==],
  functions = {
    {
      name = "list",
      returns = { { "table[]", "parents before their children" } },
      text = "Every device with all that is known about it: name, bus, "
        .. "parent, driver, state (bound, unbound, failed), owner (ours, "
        .. "guest, left), guest, why, error, binds, and what its bus and its driver "
        .. "add.",
      example = "#dev.list()",
    },
    {
      name = "tree",
      returns = { { "string" } },
      text = "The devices as a tree, for a person to read.",
      example = "dev.tree()",
    },
    {
      name = "drivers",
      returns = { { "table[]", "name, bus, devices (names)" } },
      text = "The drivers that there are, each with what it has.",
      example = "dev.drivers()[1].name",
    },
    {
      name = "policy",
      returns = {
        {
          "table",
          "source (the file or \"default\"), error (why the last load failed), "
            .. "loads, failures, decisions (by device: the reason)",
        },
      },
      text = "Which policy is in force, and what it said.",
      example = "dev.policy().source",
    },
    {
      name = "reload_policy",
      args = { { "path", "string?", "else /boot/policies/devices.lua" } },
      returns = {
        { "true?" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "Load the policy again. When it is not good, what was in force "
        .. "stays. Needs \"dev\", \"domain\" and \"fs.read\".",
      example = "dev.reload_policy()",
    },
    {
      name = "rescan",
      returns = {
        { "integer?", "how many were found" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "Look for PCI devices that were plugged in meanwhile; the policy "
        .. "decides about them. Needs \"dev\".",
      example = "dev.rescan()",
    },
  },
  classes = {
    {
      name = "device",
      text = "One device, from dev(name). What is known about it are its "
        .. "fields, read anew each time; `name` is always there.",
      methods = {
        {
          name = "bind",
          args = { { "driver", "string?", "else the first that matches" } },
          returns = {
            { "true?" },
            { "string?", "why not" },
            { "string?", "code" },
          },
          text = "Give it a driver. Needs \"dev\".",
        },
        {
          name = "unbind",
          returns = {
            { "true?" },
            { "string?", "why not" },
            { "string?", "code" },
          },
          text = "Take its driver away; who uses the device gets errors from "
            .. "then on. Needs \"dev\".",
        },
        {
          name = "reserve",
          args = { { "guest", "string" } },
          returns = {
            { "true?" },
            { "string?", "why not" },
            { "string?", "code" },
          },
          text = "Reserve it for a guest, until the policy is loaded again. "
            .. "Needs \"dev\".",
        },
        {
          name = "leave",
          returns = {
            { "true?" },
            { "string?", "why not" },
            { "string?", "code" },
          },
          text = "Leave it alone, until the policy is loaded again. Needs "
            .. "\"dev\".",
        },
        {
          name = "claim",
          args = { { "driver", "string?", "else the first that matches" } },
          returns = {
            { "true?" },
            { "string?", "why not" },
            { "string?", "code" },
          },
          text = "Make it ours again, until the policy is loaded again. Needs "
            .. "\"dev\".",
        },
        {
          name = "properties",
          returns = {
            { "table?" },
            { "string?", "why not" },
            { "string?", "code" },
          },
          text = "All that is known about it.",
        },
      },
    },
  },
}
