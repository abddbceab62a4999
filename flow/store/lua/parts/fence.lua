-- fence: may this execution still write? Removes its wip member in any case.
-- Returns nil when it may, else what became of the job: lost, deleted, or its status;
-- whether it waited for others; and its rate limit, if it has one.
local function fence(queue, id, execution)
  if redis.call('ZREM', 'rq:wip:' .. queue, id .. ':' .. execution) == 0 then
    return 'lost'
  end
  -- pcall: another type under this name is no job, and must not hold up the others.
  local fields = redis.pcall('HMGET', 'rq:job:' .. id, 'status', 'dependency_id', 'rate_limit_key')
  if fields.err or not fields[1] then
    return 'deleted'
  end
  if fields[1] ~= 'started' then
    return fields[1], false, fields[3]
  end
  return nil, fields[2] and true or false, fields[3]
end
