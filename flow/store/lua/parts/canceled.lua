-- keep_canceled: a job that was canceled stays as long as a failure does; it waits for none.
local function keep_canceled(id, failure_ttl)
  local key = 'rq:job:' .. id
  local lasts = tonumber(failure_ttl or 31536000) or 31536000
  if lasts >= 0 then
    for _, mine in ipairs({ key, 'rq:results:' .. id, key .. ':dependents' }) do
      redis.call('EXPIRE', mine, lasts)
    end
  end
  redis.call('DEL', 'rq:job::' .. id .. ':dependencies')
end

-- let_expire: the same of a job that RQ's client canceled, which would keep it for ever.
local function let_expire(id)
  local key = 'rq:job:' .. id
  -- pcall: another type under this name is no job.
  local fields = redis.pcall('HMGET', key, 'status', 'failure_ttl')
  if fields[1] == 'canceled' and redis.call('PTTL', key) == -1 then
    keep_canceled(id, fields[2])
  end
end
