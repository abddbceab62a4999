-- tidy_group: an RQ group forgets jobs that are gone; a group without jobs is none.
-- ARGV  1 group   2 where to go on in it (0 at first)   3 how many jobs it looks at, about
-- Returns where to go on; 0 when it is through.
-- use:
local key = 'rq:group:' .. ARGV[1]
local reply = redis.call('SSCAN', key, ARGV[2], 'COUNT', ARGV[3])
for _, id in ipairs(reply[2]) do
  if redis.call('EXISTS', 'rq:job:' .. id) == 0 then
    redis.call('SREM', key, id)
  end
end
if redis.call('EXISTS', key) == 0 then
  redis.call('SREM', 'rq:groups', ARGV[1])
end
return tonumber(reply[1])
