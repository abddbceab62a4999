-- peek: the call of the job that is next in some queues. Changes nothing.
-- ARGV  1 bytes above which a call is not fetched   then the queues, the first first
-- Returns the packed call; '' when none waits, or when it is too large.
-- use:
for at = 2, #ARGV do
  -- pcall: keys of other types under these names must not hold up the worker.
  local id = redis.pcall('LINDEX', 'rq:queue:' .. ARGV[at], 0)
  if type(id) == 'string' and redis.pcall('SISMEMBER', 'flow:paused', ARGV[at]) ~= 1 then
    local size = redis.pcall('HSTRLEN', 'rq:job:' .. id, 'data')
    if type(size) == 'number' and size > 0 and size <= tonumber(ARGV[1]) then
      return redis.call('HGET', 'rq:job:' .. id, 'data')
    end
    return ''
  end
end
return ''
