-- leave: processes that hold nothing any more are forgotten; their worker too, if named.
-- KEYS  1 flow:beats
-- ARGV  1 worker name or ''   2 number of queues   then the queues   then the processes
-- use:
local key = 'rq:worker:' .. ARGV[1]
local queues = tonumber(ARGV[2])
if ARGV[1] ~= '' then
  redis.call('SREM', 'rq:workers', key)
  for index = 1, queues do
    redis.call('SREM', 'rq:workers:' .. ARGV[2 + index], key)
  end
  redis.call('DEL', key, key .. ':executions')
end
for at = 3 + queues, #ARGV do
  redis.call('HDEL', KEYS[1], ARGV[at])
  redis.call('DEL', 'flow:turn:' .. ARGV[at])
end
return 1
