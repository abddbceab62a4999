-- resign: a leader that stops gives way at once.
-- KEYS  1 leader
-- ARGV  1 its token
-- Returns 1 when it led.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
