-- push: a job goes to its queue, and keeps the ttl that it was enqueued with.
local function push(queue, id, front, iso)
  local key = 'rq:job:' .. id
  redis.call('HSET', key, 'status', 'queued', 'enqueued_at', iso)
  local life = redis.call('HMGET', key, 'flow_expires', 'ttl')
  if life[1] and tonumber(life[1]) > seconds() * 1000 then
    redis.call('PEXPIREAT', key, life[1])
  elseif life[2] and redis.call('PTTL', key) < 0 then
    -- It waited for others, and counts from now; or it was started in time and its ttl passed
    -- while it ran: it must not just vanish.
    redis.call('EXPIRE', key, life[2])
  end
  redis.call('SADD', 'rq:queues', 'rq:queue:' .. queue)
  redis.call(front and 'LPUSH' or 'RPUSH', 'rq:queue:' .. queue, id)
end

-- schedule: a job waits until `due`, in unix seconds.
local function schedule(queue, id, due)
  redis.call('HSET', 'rq:job:' .. id, 'status', 'scheduled')
  redis.call('SADD', 'rq:queues', 'rq:queue:' .. queue)
  -- 17 digits: Lua's own tostring would round to 100 s.
  redis.call('ZADD', 'rq:scheduled:' .. queue, string.format('%.17g', due), id)
end
