-- push: a job goes to its queue, and keeps the ttl that it was enqueued with.
local function push(queue, id, front, iso)
  local key = 'rq:job:' .. id
  local life = redis.call('HMGET', key, 'flow_expires', 'ttl',
    'rate_limit_key', 'rate_limit_concurrency')
  if life[1] and tonumber(life[1]) > seconds() * 1000 then
    redis.call('PEXPIREAT', key, life[1])
  elseif life[2] and redis.call('PTTL', key) < 0 then
    -- It waited for others, and counts from now; or it was started in time and its ttl passed
    -- while it ran: it must not just vanish.
    redis.call('EXPIRE', key, life[2])
  end
  -- The limit lets it in itself, or will.
  if not (life[3] and life[4] and is_held_back(life[3], life[4], id, front, iso)) then
    line_up(queue, id, front, iso)
  end
end
