-- strays: keys that would stay for ever, of jobs that are gone. Changes nothing.
-- ARGV  1 where to go on among all keys (0 at first)   2 how many it looks at, about
-- Returns where to go on ('0': that is all), and the keys.
-- use: stray
local reply = redis.call('SCAN', ARGV[1], 'MATCH', 'rq:*', 'COUNT', ARGV[2])
local found = {}
for _, key in ipairs(reply[2]) do
  if is_stray(key) then
    found[#found + 1] = key
  end
end
return { reply[1], found }
