-- What module supervisor offers: help(), docs and the annotation files read this.
return {
  module = "supervisor",
  summary = "A domain's work of starting others and restarting what died.",
  text = "Restarts come later and later while a child keeps failing, and at "
    .. "once again after it has lived well for a while.",
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
