-- spawn: a schedule's job is written; `fields` is the key where its fields stand, `due` holds
-- the ids that go to each queue when all are written: thousands of ticks may share an instant.
-- Returns its queue, or nil when it is there already: the call is repeated, or the data went
-- back in time. With `parent` it waits for that job, however that ends.
local function spawn(due, fields, schedule, id, iso, parent)
  local key = 'rq:job:' .. id
  local own = redis.call('HMGET', fields, 'origin', 'ttl', 'enqueue_at_front')
  local queue = own[1] or error(fields .. ' has no origin')
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
  local push = own[3] == '1' and 'LPUSH' or 'RPUSH'
  local list = push .. queue
  if not due[list] then
    due[list] = { push, 'rq:queue:' .. queue }
  end
  local ids = due[list]
  ids[#ids + 1] = id
  return queue
end

-- deliver: what was spawned goes to its queues.
local function deliver(due)
  for _, push_many in pairs(due) do
    redis.call('SADD', 'rq:queues', push_many[2])
    redis.call(unpack(push_many))
  end
end
