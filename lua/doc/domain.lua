-- What module domain offers: help(), docs and the annotation files read this.
return {
  module = "domain",
  summary = "Isolated Lua states that run beside each other and send "
    .. "messages.",
  text = "A domain has its own memory, with a cap, its own thread, "
    .. "capabilities, and a mailbox. Whatever happens in it costs only "
    .. "itself; whoever watches it learns why it ended.",
  functions = {
    {
      name = "spawn",
      args = {
        {
          "options", "table",
          "source (text) or file (path); name; args (list, the chunk's "
            .. "`...`); memory (bytes, 64 MiB); budget (CPU seconds between "
            .. "two waits, no limit); caps (list of names, else its "
            .. "maker's); console (tty name); priority (\"shell\", "
            .. "\"control\", \"background\"); stack (bytes); monitor, link "
            .. "(booleans)",
        },
      },
      returns = {
        { "domain.handle?" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "Make a domain and start it. It cannot get capabilities that "
        .. "its maker lacks. Needs \"domain\".",
      example = "local d = domain.spawn { name = \"adder\", source = \"local "
        .. "a, b = ... return a + b\", args = { 1, 2 } } "
        .. "print(d:wait(5).kind)",
    },
    {
      name = "self",
      returns = { { "domain.handle" } },
      text = "The domain that asks.",
      example = "domain.self():stats().memory",
    },
    {
      name = "receive",
      args = { { "timeout", "number?", "seconds, else for ever" } },
      returns = {
        { "any", "the message, nil when none came" },
        { "domain.envelope|string?", "how to answer, or why there is none" },
        { "string?", "code" },
      },
      text = "The next message from the mailbox. A death notice is a table { "
        .. "kind = \"down\", domain = handle, reason = reason } in an "
        .. "envelope of kind \"down\".",
      example = "domain.self():send(\"hello\") print((domain.receive(1)))",
    },
    {
      name = "list",
      returns = { { "domain.handle[]", "in order of their start" } },
      text = "The domains that are alive. Needs \"domain\".",
      example = "#domain.list()",
    },
    {
      name = "find",
      args = { { "name", "string" } },
      returns = {
        { "domain.handle?" },
        { "string?", "why not" },
        { "string?", "code" },
      },
      text = "A living domain by its name.",
      example = "domain.find(\"init\")",
    },
    {
      name = "caps",
      returns = { { "string[]" } },
      text = "The capabilities of the domain that asks. \"fs\" covers "
        .. "\"fs.read\" and \"fs.write\", \"*\" covers all.",
      example = "domain.caps()[1]",
    },
  },
  classes = {
    {
      name = "handle",
      text = "A reference to a domain. It can be sent in messages; two "
        .. "handles of one domain are equal.",
      methods = {
        {
          name = "name",
          returns = { { "string" } },
          text = "The domain's name.",
        },
        {
          name = "id",
          returns = { { "integer" } },
          text = "Its number, which is never used again.",
        },
        {
          name = "status",
          returns = {
            { "string", "created, running, closing or dead" },
            { "table?", "when it is dead" },
          },
          text = "How it is.",
        },
        {
          name = "stats",
          returns = {
            {
              "table",
              "memory, peak, limit (bytes), refused, cpu and age (seconds), "
                .. "switches, messages",
            },
          },
          text = "What it has used.",
        },
        {
          name = "send",
          args = {
            {
              "message", "any",
              "any value but functions, coroutines and foreign userdata",
            },
          },
          returns = {
            { "true?" },
            { "string?", "why not" },
            { "string?", "code" },
          },
          text = "Put a copy of a value into its mailbox. Tables keep their "
            .. "shape, cycles included, not their metatables.",
        },
        {
          name = "call",
          args = {
            { "message", "any" },
            { "timeout", "number?", "seconds, else for ever" },
          },
          returns = {
            { "any", "what it replied" },
            { "string?", "why not" },
            { "string?", "code" },
          },
          text = "Send a message and wait for the reply.",
        },
        {
          name = "wait",
          args = { { "timeout", "number?", "seconds, else for ever" } },
          returns = {
            { "table?" },
            { "string?", "why not" },
            { "string?", "code" },
          },
          text = "Wait until it is dead; the reason is { kind = \"exit\", "
            .. "\"error\", \"killed\", \"memory\" or \"budget\", message, "
            .. "traceback, code }.",
        },
        {
          name = "monitor",
          returns = { { "true?" }, { "string?" }, { "string?" } },
          text = "Have a death notice in one's own mailbox when it ends.",
        },
        {
          name = "link",
          returns = { { "true?" }, { "string?" }, { "string?" } },
          text = "Live and die together: when one of the two does not end by "
            .. "itself with code 0, the other is killed.",
        },
        {
          name = "kill",
          args = { { "reason", "string?" } },
          returns = {},
          text = "End it at its next instruction or wait. Needs \"domain\".",
        },
        {
          name = "interrupt",
          returns = {},
          text = "As Ctrl-C on its console: ends what console.run runs "
            .. "there. Needs \"domain\".",
        },
      },
    },
    {
      name = "envelope",
      text = "What comes with a message.",
      methods = {
        {
          name = "from",
          returns = { { "domain.handle?" } },
          text = "Who sent it.",
        },
        {
          name = "id",
          returns = { { "integer" } },
          text = "The message's number.",
        },
        {
          name = "kind",
          returns = { { "string", "message, call or down" } },
          text = "What kind of message it is.",
        },
        {
          name = "reply",
          args = { { "...", "any", "the results of the call" } },
          returns = {
            { "true?" },
            { "string?", "why not" },
            { "string?", "code" },
          },
          text = "Answer a call. Too late an answer is dropped.",
        },
      },
    },
  },
}
