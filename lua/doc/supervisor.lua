-- What module supervisor offers: help(), docs and the annotation files read this.
return {
  module = "supervisor",
  summary = "A domain's work of starting others and restarting what died.",
  text = "Restarts come later and later while a child keeps failing, and at "
    .. "once again after it has lived well for a while.",
  intro = [==[
## Example

A supervisor runs in a domain, mostly one that does nothing else. Here a worker fails each time;
its supervisor starts it again after 10 ms, 20 ms, and gives it up when it has failed more than
twice within a minute.

```lua
local domain = require "domain"

local boss = domain.spawn { name = "boss", source = [[
  local supervisor = require "supervisor"
  local s = supervisor.new {
    backoff = { min = 0.01, max = 1, factor = 2, reset = 60 },
    intensity = { count = 2, within = 60 },
    children = {
      { name = "worker", restart = "on-error", source = "error 'no luck'" },
    },
  }
  s:run() -- returns when no child runs or waits for its restart
  local worker = s:children()[1]
  assert(worker.state == "given up" and worker.starts == 3)
  assert(worker.last.reason.message:find("no luck"))
]] }
boss:wait(20).code --> 0
```

The first domain, `init`, is a supervisor itself: of a shell on each terminal,
and of the boot policy.
Any domain may ask how its children are:

```lua
local domain = require "domain"

for _, child in ipairs(domain.find("init"):call("children", 5)) do
  print(child.name, child.state, child.starts)
end
```
]==],
  functions = {
    {
      name = "new",
      args = {
        {
          "options", "table",
          "children: a list of tables with name, restart (\"always\", "
            .. "\"on-error\", \"never\") and the options of domain.spawn; "
            .. "backoff: min, max, factor, reset (seconds); intensity: count "
            .. "restarts within so many seconds before a child is given up; "
            .. "strategy: \"one_for_one\"",
        },
      },
      returns = { { "supervisor.supervisor" } },
      text = "Make a supervisor; nothing is started yet.",
      example = "local supervisor = require \"supervisor\" supervisor.new { "
        .. "children = { { name = \"brief\", source = \"\", restart = "
        .. "\"never\" } } }:run()",
    },
  },
  classes = {
    {
      name = "supervisor",
      text = "Its own domain answers the call \"children\" while it runs.",
      methods = {
        {
          name = "run",
          returns = {},
          text = "Start the children and look after them; returns when none "
            .. "is left that runs or will be started again.",
        },
        {
          name = "children",
          returns = {
            {
              "table",
              "rows of name, state, domain, starts, restart, last { reason, "
                .. "at }",
            },
          },
          text = "How the children are, and why each ended last.",
        },
        {
          name = "add",
          args = { { "child", "table" } },
          returns = {},
          text = "Take another child on.",
        },
      },
    },
  },
}
