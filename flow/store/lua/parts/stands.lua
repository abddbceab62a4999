-- stands: at which tick a schedule stands, in ms; nil for none. What no clock writes so is none:
-- another program spoilt it.
local function stands(cursor)
  local tick = number(cursor)
  return tick > 0 and string.format('%.0f', tick) == cursor and tick or nil
end
