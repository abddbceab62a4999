-- line_of: what pushes to a queue; a key of another type under its name is found before
-- anything of the job is written.
local function line_of(due, queue, front)
  local push, key = front == '1' and 'LPUSH' or 'RPUSH', 'rq:queue:' .. queue
  local line = due[push .. queue]
  if not line then
    local type = redis.call('TYPE', key).ok
    if type ~= 'list' and type ~= 'none' then
      error(key .. ', which is a ' .. type)
    end
    line = { push, key }
    due[push .. queue] = line
  end
  return line
end

-- spawn: a schedule's job is written; `fields` is the key where its fields stand, `due` holds
-- the ids that go to each queue when all are written: thousands of ticks may share an instant.
-- Returns its queue, or nil when it is there already: the call is repeated, or the data went
-- back in time. With `parent` it waits for that job, however that ends.
local function spawn(due, fields, schedule, id, iso, parent)
  local key = 'rq:job:' .. id
  local own = redis.call('HMGET', fields, 'origin', 'ttl', 'enqueue_at_front')
  local queue = own[1] or error(fields .. ' has no origin')
  local line = line_of(due, queue, own[3])
  -- Copied within the server: the fields need not pass through here, nor into its log.
  if redis.call('COPY', fields, key) == 0 then
    return nil
  end
  redis.call('HSET', key, 'created_at', iso, 'enqueued_at', iso, 'flow_schedule', schedule,
    'status', parent and 'deferred' or 'queued')
  if parent then
    return queue
  end
  if own[2] then
    redis.call('EXPIRE', key, own[2])
  end
  line[#line + 1] = id
  return queue
end

-- deliver: what was spawned goes to its queues.
local function deliver(due)
  for _, line in pairs(due) do
    if #line > 2 then
      redis.call('SADD', 'rq:queues', line[2])
      redis.call(unpack(line))
    end
  end
end
