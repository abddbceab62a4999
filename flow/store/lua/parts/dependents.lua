-- met: has everything that `child` waits for ended well enough?
-- A parent that is gone counts as met, as in RQ: one that flow ran left the set when it ended.
local function met(child, despite_failures)
  local key, at = 'rq:job::' .. child .. ':dependencies', '0'
  repeat
    -- In slices: one that has not ended is nearly always among the first.
    local slice = redis.call('SSCAN', key, at, 'COUNT', 20)
    at = slice[1]
    for _, parent in ipairs(slice[2]) do
      local status = redis.call('HGET', 'rq:job:' .. parent, 'status')
      if status and status ~= 'finished' and not (status == 'failed' and despite_failures) then
        return false
      end
    end
  until at == '0'
  return true
end

-- nobody_waits: whether it is known of all jobs of this call that none waits for them.
local nobody_waits = false

-- see_who_waits: asks for many jobs at once, for that is the usual case.
local function see_who_waits(outcomes)
  nobody_waits = true
  for from = 1, #outcomes, 500 do
    local waiting = {}
    for index = from, math.min(from + 499, #outcomes) do
      waiting[#waiting + 1] = 'rq:job:' .. outcomes[index].id .. ':dependents'
    end
    nobody_waits = nobody_waits and redis.call('EXISTS', unpack(waiting)) == 0
  end
end

-- release: the jobs that waited for `id` alone go to their queues; when it was canceled,
-- only a schedule's next one, which waits for it however it ends.
-- Returns whether any still wait for it.
local function release(id, ending, iso)
  if nobody_waits then
    return false
  end
  local waiting = 'rq:job:' .. id .. ':dependents'
  local left = false
  for _, child in ipairs(redis.call('SMEMBERS', waiting)) do
    local fields = redis.call('HMGET', 'rq:job:' .. child,
      'status', 'origin', 'allow_dependency_failures', 'enqueue_at_front', 'flow_schedule')
    local despite_failures = fields[3] == '1'
    if ending == 'finished' or despite_failures and (ending == 'failed' or fields[5]) then
      redis.call('SREM', 'rq:job::' .. child .. ':dependencies', id)
      redis.call('SREM', waiting, child)
      if fields[1] == 'deferred' and met(child, despite_failures) then
        redis.call('ZREM', 'rq:deferred:' .. fields[2], child)
        push(fields[2], child, fields[4] == '1', iso)
      end
    else
      left = true
    end
  end
  return left
end
