-- release_more: goes on with the jobs that waited for one that has ended, where they are many.
-- ARGV  1 now (ISO)
-- Returns how many jobs there are for which others still wait so.
-- use: clock line limit push dependents
-- pcall, here and below: what others spoilt must not keep the promoter from its work.
local one = redis.pcall('HRANDFIELD', RELEASING, 1, 'WITHVALUES')
local id, noted = one[1], one[2]
if not id then
  return 0
end
local ending, at = string.match(noted, '^(%a+) (%d+)$')
local fine, _, after = pcall(release_from, id, ending, ARGV[1], at)
if fine and after ~= '0' then
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
