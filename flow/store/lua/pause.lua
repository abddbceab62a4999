-- pause: a schedule enqueues nothing until it is resumed.
-- KEYS  1 next   2 the schedule   3 bell
-- ARGV  1 schedule   2 now (ISO)
-- Returns 1 when it was paused now, 0 when it was already, -1 when there is none.
-- use: ring
local fields = redis.call('HMGET', KEYS[2], 'revision', 'removed', 'paused')
if not fields[1] or fields[2] then
  return -1
end
if fields[3] then
  return 0
end
redis.call('HSET', KEYS[2], 'paused', ARGV[2])
local wake = redis.call('ZSCORE', KEYS[1], ARGV[1])
if wake then
  redis.call('HSET', KEYS[2], 'wake', wake)
end
redis.call('ZREM', KEYS[1], ARGV[1])
ring(KEYS[3])
return 1
