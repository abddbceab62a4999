-- fence: may this execution still write? Removes its wip member in any case.
-- Returns nil when it may, else what became of the job: lost, deleted, or its status.
local function fence(queue, id, execution)
  if redis.call('ZREM', 'rq:wip:' .. queue, id .. ':' .. execution) == 0 then
    return 'lost'
  end
  -- pcall: another type under this name is no job, and must not hold up the others.
  local status = redis.pcall('HGET', 'rq:job:' .. id, 'status')
  if type(status) ~= 'string' then
    return 'deleted'
  end
  if status ~= 'started' then
    return status
  end
  return nil
end
