-- The few control sequences that more than one file sends.

return {
  -- Pastes are marked as such, or no longer.
  paste_on = "\27[?2004h",
  paste_off = "\27[?2004l",
  -- "Go to the far corner and say where you are"; the cursor is kept. Every
  -- terminal understands it; the answer comes like a key, or never.
  ask_size = "\0277\27[999;999H\27[6n\0278",
  clear = "\27[m\27[H\27[2J",
}
