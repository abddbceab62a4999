-- resume: a paused schedule goes on; what came due meanwhile is left out.
-- KEYS  1 next   2 the schedule   3 bell   4 ledger
-- ARGV  1 schedule   2 the cursor that the caller saw   3 its next tick in ms   4 when it is due
--       5 how many ticks are left out   6 the last of them   7 entries the ledger keeps
-- Returns 1 when it goes on now, 0 when it was not paused, -1 when the cursor is another.
-- use: ledger ring
local fields = redis.call('HMGET', KEYS[2], 'paused', 'cursor', 'removed')
if not fields[1] or fields[3] then
  return 0
end
if fields[2] ~= ARGV[2] then
  return -1
end
if tonumber(ARGV[5]) > 0 then
  note(KEYS[4], ARGV[7], ARGV[1], ARGV[2], 'skipped', 'until', ARGV[6], 'count', ARGV[5],
    'reason', 'paused')
end
redis.call('HDEL', KEYS[2], 'paused')
redis.call('HSET', KEYS[2], 'cursor', ARGV[3])
redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1])
ring(KEYS[3])
return 1
