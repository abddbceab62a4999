-- The process that would run a job's callbacks is dead: a job of its own does that.
local LISTENERS = {
  stopped = { 'stopped_callback_name' },
  other = { 'failure_callback_name', 'webhooks' },
}

-- wants_to_hear: has a job anything that is to be told how it ended?
local function wants_to_hear(id, how)
  local names = LISTENERS[how] or LISTENERS.other
  for _, value in ipairs(redis.call('HMGET', 'rq:job:' .. id, unpack(names))) do
    if value and value ~= '' then
      return true
    end
  end
  return false
end

-- tell: `call`, which tells them, is queued as a job.
local function tell(queue, id, execution, call, iso)
  local own = id .. '-' .. execution
  redis.call('HSET', 'rq:job:' .. own, 'created_at', iso, 'origin', queue, 'data', call,
    'description', 'tells of the end of ' .. id, 'timeout', -1, 'result_ttl', 0)
  line_up(queue, own, true, iso)
end
