-- spawn: a schedule's job is written; `fields` is the key where its fields stand, `due` holds
-- the ids that go to each queue when all are written: thousands of ticks may share an instant.
-- Returns its queue, or nil when it is there already: the call is repeated, or the data went
-- back in time. With `parent` it waits for that job, however that ends.
local function spawn(due, fields, schedule, id, iso, parent)
  local key = 'rq:job:' .. id
  if redis.call('EXISTS', key) == 1 then
    return nil
  end
  local flat, own = redis.call('HGETALL', fields), {}
  for at = 1, #flat, 2 do
    own[flat[at]] = flat[at + 1]
  end
  redis.call('HSET', key, 'created_at', iso, 'enqueued_at', iso, 'flow_schedule', schedule,
    'status', parent and 'deferred' or 'queued', unpack(flat))
  if parent then
    return own.origin
  end
  if own.ttl then
    redis.call('EXPIRE', key, own.ttl)
  end
  local front = own.enqueue_at_front == '1'
  local list = (front and 'L' or 'R') .. own.origin
  if not due[list] then
    due[list] = { front and 'LPUSH' or 'RPUSH', 'rq:queue:' .. own.origin }
  end
  table.insert(due[list], id)
  return own.origin
end

-- deliver: what was spawned goes to its queues.
local function deliver(due)
  for _, push_many in pairs(due) do
    redis.call('SADD', 'rq:queues', push_many[2])
    redis.call(unpack(push_many))
  end
end
