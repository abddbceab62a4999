-- seal: the declared set of a release is complete; what it does not name goes.
-- KEYS  1 next   2 what every schedule's key begins with   3 the same of its job's fields
--       4 ids   5 state   6 bell
-- ARGV  1 now (ISO)   2 release   3 the set's hash   4 seconds a tombstone stays
--       then the ids that go
-- Returns the ids that went; none when a newer release stands.
-- use: clock bury ring number
local now = string.format('%.0f', seconds() * 1000)
local standing = redis.call('HGET', KEYS[5], 'release')
local gone = {}
if number(standing) > tonumber(ARGV[2]) then
  return gone
end
for at = 5, #ARGV do
  if redis.call('HGET', KEYS[4], ARGV[at]) == 'declared' then
    bury(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[at], ARGV[1], now, ARGV[4])
    gone[#gone + 1] = ARGV[at]
  end
end
redis.call('HSET', KEYS[5], 'release', ARGV[2], 'declared', ARGV[3])
if #gone > 0 then
  ring(KEYS[6])
end
return gone
