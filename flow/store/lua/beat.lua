-- beat: the processes of a worker are alive; RQ's readers see the worker.
-- KEYS  1 flow:beats
-- ARGV  1 worker name   2 seconds its hash lives   3 jobs done   4 jobs failed
--       5 seconds worked, all since the start   6 number of processes   then the processes
--       7 number of queues   then the queues   then the fields and values of the hash
-- use:
local name, ttl = ARGV[1], ARGV[2]
local key = 'rq:worker:' .. name
local at = 7
-- A write that needs no memory, for its own sake: Redis refuses none that follow it in a script,
-- so a server without memory does not make the dead of the living.
redis.call('PERSIST', KEYS[1])
for _ = 1, tonumber(ARGV[6]) do
  redis.call('HINCRBY', KEYS[1], ARGV[at], 1)
  at = at + 1
end
redis.call('SADD', 'rq:workers', key)
local queues = tonumber(ARGV[at])
for index = 1, queues do
  redis.call('SADD', 'rq:workers:' .. ARGV[at + index], key)
  redis.call('SADD', 'rq:queues', 'rq:queue:' .. ARGV[at + index])
end
redis.call('HSET', key, unpack(ARGV, at + queues + 1))
-- Set, not added: a beat whose reply was lost is sent again.
redis.call('HSET', key, 'successful_job_count', ARGV[3], 'failed_job_count', ARGV[4],
  'total_working_time', ARGV[5])
redis.call('EXPIRE', key, ttl)
return redis.call('HMGET', key, 'shutdown_requested_date', 'flow_order')
