-- What module event offers: help(), docs and the annotation files read this.
return {
  module = "event",
  summary = "What happens in the machine, as tables: keys, deaths, your own.",
  text =
    "Events are fixed records that drivers, the kernel and scripts raise. A "
    .. "subscription is a queue of its own with a filter; nobody who listens, no cost. "
    .. "All but types and sources need the capability \"event\".",
  intro = [==[
## Listening

```lua
local event, domain = require "event", require "domain"

local ends <close> = event.subscribe { type = "domain_end", code = "error" }
domain.spawn { name = "short", source = "error 'alas'" }
local e = ends:read(5) -- seconds; nil, "timed out" if nothing came
e.type --> domain_end
e.name --> short
```

An event is a table: the fields of its type (`event.types()` lists them), and
`type`, `time` (on the clock of `sys.uptime`), `cpu`, and `consumed` when a
reflex said that nobody else shall act on it. A filter is the name of a type, or
a table with `type` and at most one field, or a list of those; named constants
stand for numbers. Events come in the order in which they happened, on all CPUs.
A full queue loses its oldest event and counts it (`:lost()`).

A subscription takes memory of the domain's cap, 64 bytes a place.

## A loop of one's own

Callbacks run in the domain that set them, one at a time, while it is in
`event.loop`:

```lua
local event = require "event"

event.define("door", "somebody is at the door", { knock = 1, ring = 2 })
local heard = {}
local a = event.on("door", function(e) heard[#heard + 1] = e.code end)
local b = event.on({ type = "door", code = "ring" }, function(e) return e.text end)
event.raise("door", { code = "knock" })
event.raise("door", { code = "ring", text = "postman" })
event.loop(5) --> postman
heard[1] --> 1
a:off()
b:off()
```

A handler that returns something ends the loop with it. A domain under a
supervisor that does nothing but react is a few `event.on` and an
`event.loop()`: if it dies it is started again.

A domain that lives on its mailbox has events announced there: after
`event.announce()` a message `{ kind = "event" }` comes when events wait for its
handlers, and `event.dispatch()` calls them. The notice takes no room in the
mailbox, and one is there at most.

```lua
local event, domain = require "event", require "domain"

event.define("door", "somebody is at the door", { knock = 1, ring = 2 })
local server = domain.spawn { caps = { "event" }, source = [[
  local event, domain = require "event", require "domain"
  local rings = 0
  event.on({ type = "door", code = "ring" }, function() rings = rings + 1 end)
  event.announce()
  while true do
    local message, envelope = domain.receive()
    if envelope:kind() == "event" then
      event.dispatch()
    elseif message == "how many" then
      envelope:reply(rings)
    end
  end]] }
server:call("how many", 5) --> 0
event.raise("door", { code = "ring" })
require "sys".sleep(0.2)
server:call("how many", 5) --> 1
server:kill()
```

## Events of one's own

`event.define(name, doc, codes)` makes a type with the fields `code`, `value`,
`text` (32 bytes) and `source`, which is the id of the domain that raises:
nobody raises in another's name. Types stay until the machine is switched off;
the same definition again is allowed.

## A source that storms

Of each source and type, 20,000 events a second reach subscribers
(`event.source_limit`); what is above is counted in `event.sources()`. Reflexes
see all of them, so that a rule can end the storm: see `help "reflex"`.
]==],
  functions = {
    {
      name = "types",
      args = { { "name", "string?", "one type" } },
      returns = { { "table?",
        "name, doc, fields, raised, dropped of each; or of that one" } },
      text = "All types of events, in the order of names; one prints its fields "
        .. "and constants.",
      example = "print(event.types(\"domain_end\"))",
    },
    {
      name = "subscribe",
      args = {
        { "filter", "string|table", "a type, {type=, field=value}, or a list" },
        { "length", "integer?", "places, 1 to 4096; 256 if none is given" },
      },
      returns = { { "table?",
        "subscription: read(timeout), lost(), announce(), close()" },
        { "string?", "why not" }, { "string?", "code" } },
      text = "A queue of its own for what passes the filter, from now on.",
      example = "event.subscribe(\"log\"):close()",
    },
    {
      name = "wait",
      args = { { "filter", "string|table" }, { "timeout", "number?",
        "seconds" } },
      returns = { { "table?", "the event" }, { "string?", "why not" },
        { "string?", "code" } },
      text =
        "The next event that passes the filter. What happens between two calls "
        .. "is missed: subscribe instead.",
      example = "event.wait(\"log\", 0.01)",
    },
    {
      name = "on",
      args = { { "filter", "string|table" }, { "fn", "function",
        "is given the event" } },
      returns = { { "table?", "handler, with :off()" }, { "string?",
        "why not" },
        { "string?", "code" } },
      text = "Have event.loop call a function for what passes the filter.",
      example = "event.on(\"log\", print):off()",
    },
    {
      name = "off",
      args = { { "handler", "table", "what event.on gave" } },
      returns = { { "boolean", "it was set" } },
      text = "Forget a handler.",
      example = "event.off(event.on(\"log\", print))",
    },
    {
      name = "loop",
      args = { { "timeout", "number?", "seconds for all" } },
      returns = { { "any",
        "what a handler returned; nil when the time is over" },
        { "string?", "why not" }, { "string?", "code" } },
      text =
        "Call this domain's handlers for what happens, until one of them returns "
        .. "a value other than nil.",
      example = "event.loop(0.01)",
    },
    {
      name = "announce",
      args = {},
      returns = {},
      text =
        "Have a message { kind = \"event\" } come to this domain's mailbox "
        .. "when events wait for its handlers.",
    },
    {
      name = "dispatch",
      args = {},
      returns = { { "integer", "how many calls" } },
      text = "Call the handlers for what waits, without waiting.",
      example = "event.dispatch()",
    },
    {
      name = "define",
      args = { { "name", "string", "lower-case letters, digits, _" },
        { "doc", "string?" },
        { "codes", "table?", "named constants of the field code" } },
      returns = { { "boolean?", "true" }, { "string?", "why not" }, { "string?",
        "code" } },
      text = "Declare a type of one's own; the same again is allowed.",
      example = "event.define(\"example\", \"for help\", { hello = 1 })",
    },
    {
      name = "raise",
      args = { { "name", "string", "a type that event.define made" },
        { "fields", "table?", "code (a number or its name), value, text" } },
      returns = { { "boolean", "a reflex consumed it" } },
      text = "Raise an event; its source is this domain.",
      example = "event.define(\"example\", \"for help\", { hello = 1 }) "
        .. "event.raise(\"example\", { code = \"hello\", value = 5 })",
    },
    {
      name = "sources",
      args = {},
      returns = { { "table", "type, source, raised, limited of each" } },
      text =
        "Who raised how much while somebody listened, and how much was held back.",
      example = "event.sources()",
    },
    {
      name = "source_limit",
      args = { { "per_second", "integer?", "the new one; 0: none" } },
      returns = { { "integer", "the limit" } },
      text = "Events a second of one source and type that reach subscribers.",
      example = "event.source_limit()",
    },
  },
}
