-- What module agent offers: help(), docs and the annotation files read this.
return {
  module = "agent",
  summary = "Programs, files and the power of a guest that runs QEMU's guest agent.",
  text = "vm.get(name):agent() gives the agent of a VM, over the port "
    .. "org.qemu.guest_agent.0 of its virtio-console. Any system with that agent "
    .. "can be driven: Linux, BSD, Windows.",
  intro = [==[
## Example

```lua
-- not run with the other pages: it wants such a guest (test_guest_agent.py)
local guest = require "vm".get("linux")
local agent = assert(guest:agent())
local r = assert(agent:exec("uname -r; cat", { input = "given" }))
print(r.exit, r.output)
assert(agent:write("/tmp/hello", "from RayOS\n"))
print(agent:read("/tmp/hello"))
guest:shutdown()
```

## Methods

All of them wait for the answer, and give nil, message, code when there is none
or it cannot be used: `ETIMEDOUT` (the agent is silent), `ENOTCONN` (it is gone, or
the guest does not run), `EREMOTE` (it says no, and why), `EPROTO` and `EMSGSIZE`
(what it says is no answer). After each of these the next call begins anew.

| method | |
|---|---|
| `:ping(seconds)` | is it there? |
| `:exec(command, options)` | run until it ends: `exit`, `signal`, `output`, `errors`, `truncated` |
| `:spawn(command, options)` | start, and do not wait: the process's number |
| `:status(process)` | false while it runs, then as `:exec`; asked once |
| `:read(path, most)` | a file, of 4 MiB or `most` bytes |
| `:write(path, data, mode)` | make or replace a file; mode "a" appends |
| `:shutdown(mode)` | "powerdown", "reboot" or "halt"; does not wait until it is done |
| `:interfaces()` | list of `{name=, mac=, addresses={"192.0.2.7/24"}}` |
| `:info()` | version and supported commands |
| `:call(command, arguments, seconds)` | anything else of the protocol |

A command is a text for `/bin/sh`, or a table `{path, argument...}`. Options:
`input` (text), `env` (list of `"NAME=value"`; then it has these only), `seconds`
(60), `capture = false` (no output is kept: for programs that stay).
]==],
  functions = {
    {
      name = "new",
      args = { { "port", "table", "with :read(seconds) and :write(text, seconds)" },
        { "present", "function?", "false, message: nobody can answer any more" } },
      returns = { { "table", "an agent" } },
      text = "An agent at the other end of any port; that of a VM is given by "
        .. "its :agent().",
    },
  },
}
