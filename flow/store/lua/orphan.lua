-- orphan: a job is a dead letter whose parents are gone before they finished; where a failure
-- of theirs is good enough, it runs.
-- ARGV  1 now (ISO)   2 seconds to keep a dead letter   3 the packed text of the failure
--       4 job   5 the packed call that tells of its end
-- Returns 1 when it is a dead letter now, 0 when it was queued, -1 when it is no orphan.
-- use: clock line limit push dependents keep aftermath orphan
local iso, ttl, id = ARGV[1], tonumber(ARGV[2]), ARGV[4]
local key = 'rq:job:' .. id
local fields = redis.call('HMGET', key, 'status', 'origin', 'allow_dependency_failures',
  'enqueue_at_front', 'failure_ttl')
local queue = fields[2]
if fields[1] ~= 'deferred' or not is_orphan(id) then
  return -1
end
redis.call('ZREM', 'rq:deferred:' .. queue, id)
redis.call('HDEL', key, 'flow_orphaned')
for _, parent in ipairs(redis.call('SMEMBERS', 'rq:job::' .. id .. ':dependencies')) do
  redis.call('SREM', 'rq:job:' .. parent .. ':dependents', id)
end
if fields[3] == '1' then
  redis.call('DEL', 'rq:job::' .. id .. ':dependencies')
  push(queue, id, fields[4] == '1', iso)
  return 0
end
local now = seconds()
local ended = string.format('%.17g', now)
redis.call('HSET', key, 'status', 'failed', 'ended_at', iso)
local waited_for = release(id, 'failed', iso)
record(id, 2, '', '', ended, ended, 'exc_string', ARGV[3])
if wants_to_hear(id, 'orphaned') then
  tell(queue, id, 'orphan', ARGV[5], iso)
end
keep('failed', queue, id, tonumber(fields[5] or ttl) or ttl, now, true, waited_for)
file_all()
return 1
