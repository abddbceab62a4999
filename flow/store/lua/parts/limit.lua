-- admit: RQ's rate limit lets in what waits, the oldest first, while it has slots: so many jobs
-- of one key are queued or running at a time.
local function admit(limit, iso)
  local allowed, waiting = 'rq:rl:' .. limit .. ':allowed', 'rq:rl:' .. limit .. ':rate_limited'
  local slots = tonumber(redis.call('HGET', 'rq:rl:' .. limit, 'concurrency') or 0) or 0
  -- A hundred leftovers at most: a script call stays short.
  for _ = 1, slots + 100 do
    local id = redis.call('ZCARD', allowed) < slots and redis.call('ZPOPMIN', waiting)[1]
    if not id then
      return
    end
    local fields = redis.pcall('HMGET', 'rq:job:' .. id, 'origin', 'status', 'enqueue_at_front')
    if not fields.err and fields[1] and fields[2] == 'rate_limited' then
      redis.call('ZADD', allowed, string.format('%.17g', seconds()), id)
      line_up(fields[1], id, fields[3] == '1', iso)
    end
  end
end

-- is_held_back: a job of a limit waits for a slot of it, unless it has one already.
local function is_held_back(limit, concurrency, id, front, iso)
  if redis.call('ZSCORE', 'rq:rl:' .. limit .. ':allowed', id) then
    return false
  end
  redis.call('SADD', 'rq:rl-keys', limit)
  redis.call('HSET', 'rq:rl:' .. limit, 'concurrency', concurrency)
  redis.call('HSET', 'rq:job:' .. id, 'status', 'rate_limited')
  if front then
    redis.call('HSET', 'rq:job:' .. id, 'enqueue_at_front', '1') -- whoever admits it reads that
  end
  redis.call('ZADD', 'rq:rl:' .. limit .. ':rate_limited', string.format('%.17g', seconds()), id)
  admit(limit, iso)
  return true
end

-- forget_limit: a limit that no job has any more is none; RQ's maintenance does the same.
local function forget_limit(limit)
  local rooms = { 'rq:rl:' .. limit .. ':allowed', 'rq:rl:' .. limit .. ':rate_limited' }
  if redis.call('EXISTS', unpack(rooms)) == 0 then
    redis.call('DEL', 'rq:rl:' .. limit)
    redis.call('SREM', 'rq:rl-keys', limit)
  end
end

-- free_slot: a job that neither waits nor runs any more gives its slot to the next.
local function free_slot(limit, id, iso)
  -- pcall: what is no hash is no job.
  local status = redis.pcall('HGET', 'rq:job:' .. id, 'status')
  if status ~= 'queued' and status ~= 'started' then
    redis.call('ZREM', 'rq:rl:' .. limit .. ':allowed', id)
    admit(limit, iso)
    forget_limit(limit)
  end
end
