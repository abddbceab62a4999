-- schedule: a job waits until `due`, in unix seconds.
local function schedule(queue, id, due)
  redis.call('HSET', 'rq:job:' .. id, 'status', 'scheduled')
  redis.call('SADD', 'rq:queues', 'rq:queue:' .. queue)
  -- 17 digits: Lua's own tostring would round to 100 s.
  redis.call('ZADD', 'rq:scheduled:' .. queue, string.format('%.17g', due), id)
end

-- line_up: a job goes to the list of its queue. Where another program has written a key of
-- another type, it comes again in a minute: it must not be lost, nor hold up the others.
local SPOILT = 60
local function line_up(queue, id, front, iso)
  redis.call('HSET', 'rq:job:' .. id, 'status', 'queued', 'enqueued_at', iso)
  redis.call('SADD', 'rq:queues', 'rq:queue:' .. queue)
  local length = redis.pcall(front and 'LPUSH' or 'RPUSH', 'rq:queue:' .. queue, id)
  if type(length) ~= 'number' then
    schedule(queue, id, seconds() + SPOILT)
  end
end
