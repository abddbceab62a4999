-- resign: a leader that stops gives way at once, and rings for the others.
-- KEYS  1 leader   2 bell
-- ARGV  1 its token
-- Returns 1 when it led.
-- use: ring
if redis.call('GET', KEYS[1]) == ARGV[1] then
  redis.call('DEL', KEYS[1])
  ring(KEYS[2])
  return 1
end
return 0
