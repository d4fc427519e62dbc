-- The picture of display.test_surface: colour bars, a square that moves with
-- the frame's number, and that number itself as sixteen black or white fields in
-- the first row. Pure; the tests compute from it what they must see.

local pattern = {}

pattern.FIELD = 8 -- pixels of a field and of the square's step
pattern.BITS = 16
pattern.SQUARE = 32
pattern.BARS = {
  0xffb9c2cd, 0xffdcb35f, 0xff5cbfc4, 0xff8cc379,
  0xffbf8ae0, 0xffe0676e, 0xff66a9e8, 0xff1b222c,
}
pattern.SQUARE_COLOUR = 0xfff4f7fa

---Left and right edge of a bar, 1 to 8.
function pattern.bar(width, i)
  return width * (i - 1) // 8, width * i // 8
end

---Where the square stands in a frame.
function pattern.square(width, height, frame)
  local room_x = math.max(width - pattern.SQUARE, 1)
  local room_y = math.max(height - pattern.SQUARE - pattern.FIELD, 1)
  return frame * pattern.FIELD % room_x,
    pattern.FIELD + frame * 3 % room_y
end

---0xAARRGGBB of a pixel of a frame.
function pattern.pixel(width, height, frame, x, y)
  if y < pattern.FIELD and x < pattern.FIELD * pattern.BITS then
    local bit = pattern.BITS - 1 - x // pattern.FIELD
    return frame >> bit & 1 == 1 and 0xffffffff or 0xff000000
  end
  local sx, sy = pattern.square(width, height, frame)
  if x >= sx and x < sx + pattern.SQUARE and y >= sy
      and y < sy + pattern.SQUARE then
    return pattern.SQUARE_COLOUR
  end
  for i = 1, 8 do
    local left, right = pattern.bar(width, i)
    if x >= left and x < right then
      return pattern.BARS[i]
    end
  end
end

---Draw a frame on a surface.
function pattern.draw(surface, width, height, frame)
  for i = 1, 8 do
    local left, right = pattern.bar(width, i)
    surface:fill(left, 0, right - left, height, pattern.BARS[i])
  end
  local sx, sy = pattern.square(width, height, frame)
  surface:fill(sx, sy, pattern.SQUARE, pattern.SQUARE, pattern.SQUARE_COLOUR)
  for i = 0, pattern.BITS - 1 do
    local bit = pattern.BITS - 1 - i
    surface:fill(i * pattern.FIELD, 0, pattern.FIELD, pattern.FIELD,
      frame >> bit & 1 == 1 and 0xffffffff or 0xff000000)
  end
end

return pattern
