-- take_over: an entry of rq-scheduler becomes a schedule of the app, or a delayed job.
-- KEYS  1 rq:scheduler:scheduled_jobs   2 next   3 the schedule   4 its job's fields   5 ids
--       6 bell
-- ARGV  1 job   2 its score   3 schedule, or '' for a delayed job   4 next tick in ms
--       5 number of values, fields and values, then those of its job
-- Returns 1, or 0 when the entry has changed meanwhile.
-- use: clock line ring
local id, score, name = ARGV[1], ARGV[2], ARGV[3]
local stands = redis.call('ZSCORE', KEYS[1], id)
if not stands or tonumber(stands) ~= tonumber(score) then
  return 0
end
redis.call('ZREM', KEYS[1], id)
if name == '' then
  schedule(redis.call('HGET', 'rq:job:' .. id, 'origin'), id, tonumber(score))
  return 1
end
local count = tonumber(ARGV[5])
redis.call('DEL', KEYS[3], KEYS[4])
redis.call('HSET', KEYS[3], 'cursor', ARGV[4], 'source', 'dynamic', unpack(ARGV, 6, 5 + count))
redis.call('HSET', KEYS[4], unpack(ARGV, 6 + count))
redis.call('ZADD', KEYS[2], ARGV[4], name)
redis.call('HSET', KEYS[5], name, 'dynamic')
ring(KEYS[6])
-- A job that still waits or runs is left to end; one that only was the pattern goes.
local status = redis.call('HGET', 'rq:job:' .. id, 'status')
if status == 'scheduled' or status == 'created' then
  redis.call('DEL', 'rq:job:' .. id)
end
return 1
