-- spawn: a schedule's job is written and goes to its queue; `fields` is where its fields stand.
-- Returns false when it is there already: the call is repeated, or the data went back in time.
local function spawn(fields, schedule, id, iso)
  local key = 'rq:job:' .. id
  if redis.call('EXISTS', key) == 1 then
    return false
  end
  redis.call('HSET', key, 'created_at', iso, 'flow_schedule', schedule,
    unpack(redis.call('HGETALL', fields)))
  local own = redis.call('HMGET', key, 'origin', 'ttl', 'enqueue_at_front')
  if own[2] then
    redis.call('EXPIRE', key, own[2])
  end
  push(own[1], id, own[3] == '1', iso)
  return true
end
