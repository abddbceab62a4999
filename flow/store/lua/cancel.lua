-- cancel: a job that has not started will not.
-- ARGV  1 job   2 now (ISO)
-- Returns 1 when it was canceled now, 0 when it runs or has ended, -1 when it is unknown.
-- use: clock
local id, key = ARGV[1], 'rq:job:' .. ARGV[1]
local fields = redis.call('HMGET', key, 'status', 'origin')
local status, queue = fields[1], fields[2]
if not status then
  return -1
end
if status == 'queued' then
  redis.call('LREM', 'rq:queue:' .. queue, 1, id)
elseif status == 'scheduled' or status == 'deferred' then
  redis.call('ZREM', 'rq:' .. status .. ':' .. queue, id)
else
  return 0
end
redis.call('HSET', key, 'status', 'canceled', 'ended_at', ARGV[2])
redis.call('ZADD', 'rq:canceled:' .. queue, string.format('%.0f', seconds()), id)
return 1
