-- cancel: a job that has not started will not.
-- ARGV  1 job   2 now (ISO)
-- Returns 1 when it was canceled now, 0 when it runs or has ended, -1 when it is unknown.
-- A repeated call (its reply was lost) is known by its instant, and answered again.
-- use: clock line limit canceled
local id, key = ARGV[1], 'rq:job:' .. ARGV[1]
local fields = redis.call('HMGET', key, 'status', 'origin', 'ended_at', 'failure_ttl', 'rate_limit_key')
local status, queue = fields[1], fields[2]
if not status then
  return -1
end
if status == 'queued' then
  redis.call('LREM', 'rq:queue:' .. queue, 1, id)
elseif status == 'scheduled' or status == 'deferred' then
  redis.call('ZREM', 'rq:' .. status .. ':' .. queue, id)
elseif status == 'rate_limited' and fields[5] then
  redis.call('ZREM', 'rq:rl:' .. fields[5] .. ':rate_limited', id)
else
  return (status == 'canceled' and fields[3] == ARGV[2]) and 1 or 0
end
redis.call('HSET', key, 'status', 'canceled', 'ended_at', ARGV[2])
redis.call('HDEL', key, 'flow_discarded') -- of an earlier run, if it was requeued
redis.call('ZADD', 'rq:canceled:' .. queue, string.format('%.0f', seconds()), id)
keep_canceled(id, fields[4])
if fields[5] then
  free_slot(fields[5], id, ARGV[2])
end
return 1
