-- release_more: goes on with the jobs that waited for one that has ended, where they are many.
-- ARGV  1 now (ISO)
-- Returns how many jobs there are for which others still wait so.
-- use: clock limit push dependents
local one = redis.call('HRANDFIELD', RELEASING, 1, 'WITHVALUES')
if not one[1] then
  return 0
end
local id = one[1]
local ending, at = string.match(one[2], '^(%a+) (%d+)$')
local _, after = release_from(id, ending, ARGV[1], at)
if after ~= '0' then
  redis.call('HSET', RELEASING, id, ending .. ' ' .. after)
else
  redis.call('HDEL', RELEASING, id)
  -- Those who go on waiting are forgotten with it.
  local left = redis.call('PTTL', 'rq:job:' .. id)
  if left > 0 then
    redis.call('PEXPIRE', 'rq:job:' .. id .. ':dependents', left)
  end
end
return redis.call('HLEN', RELEASING)
