-- enqueue_one: one job to the back of its queue, with nothing that enqueue.lua knows besides.
-- Most calls are this one, and for one job the rest of that script costs more than the job.
-- A repeated call (its reply was lost) changes nothing: the job is there already.
-- ARGV  1 queue   2 job   then the fields and values of its hash
-- Returns 1 enqueued, 0 there already.
local key, waiting = 'rq:job:' .. ARGV[2], 'rq:queue:' .. ARGV[1]
if redis.call('EXISTS', key) == 1 then
  return 0
end
-- First, for it alone may fail: another program may keep something else under this name.
if redis.call('RPUSH', waiting, ARGV[2]) == 1 then
  redis.call('SADD', 'rq:queues', waiting) -- it was empty, so it may be new
end
redis.call('HSET', key, unpack(ARGV, 3))
return 1
