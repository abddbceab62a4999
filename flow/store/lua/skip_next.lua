-- skip_next: the next ticks of a schedule are left out.
-- KEYS  1 the schedule
-- ARGV  1 how many; 0 takes it back
-- Returns 1, or -1 when there is no such schedule.
local fields = redis.call('HMGET', KEYS[1], 'revision', 'removed')
if not fields[1] or fields[2] then
  return -1
end
redis.call('HSET', KEYS[1], 'skip', ARGV[1])
return 1
