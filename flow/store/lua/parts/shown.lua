-- hide: RQ's readers see an execution no more that `owned` has shown them.
local function hide(id, execution, worker)
  local key, member = 'rq:worker:' .. worker, id .. ':' .. execution
  redis.call('DEL', 'rq:execution:' .. member)
  -- pcall: a key of another type in the way must not hold up an outcome.
  redis.pcall('ZREM', 'rq:executions:' .. id, execution)
  redis.pcall('SREM', key .. ':executions', member)
  if redis.pcall('HGET', key, 'current_job') == id then
    redis.call('HDEL', key, 'current_job', 'current_job_working_time')
  end
end
