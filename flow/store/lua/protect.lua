-- protect: a job that must not run twice is about to start; nobody may run it again.
-- Until then it may: it was only claimed.
-- ARGV  1 queue   2 job   3 execution
-- Returns 1 when the execution may start, 0 when it lost the job meanwhile.
-- use:
local key = 'rq:job:' .. ARGV[2]
local held = redis.call('ZSCORE', 'rq:wip:' .. ARGV[1], ARGV[2] .. ':' .. ARGV[3])
if not held or redis.call('HGET', key, 'status') ~= 'started' then
  -- It will not begin, so nobody settles it.
  redis.call('ZREM', 'rq:wip:' .. ARGV[1], ARGV[2] .. ':' .. ARGV[3])
  return 0
end
redis.call('HSET', key, 'flow_on_crash', 'fail', 'flow_started', ARGV[3])
return 1
