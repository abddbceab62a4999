-- number: what a field counts; 0 where it is missing, or holds what no counter reaches.
local function number(text)
  local found = tonumber(text or 0)
  return found and math.abs(found) < 2 ^ 53 and found or 0
end
