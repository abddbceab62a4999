-- lead: a clock becomes the leader of its app's clocks, or stays it.
-- KEYS  1 leader   2 epoch
-- ARGV  1 clock   2 lease in ms   3 its token, '' when it does not lead
-- Returns the token ('' when another leads), the ms its lease lasts, and who leads.
local holder = redis.call('GET', KEYS[1])
if holder and holder == ARGV[3] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return { holder, tonumber(ARGV[2]), ARGV[1] }
end
if holder then
  return { '', redis.call('PTTL', KEYS[1]), string.match(holder, '^%d+:(.*)$') }
end
local token = string.format('%.0f', redis.call('INCR', KEYS[2])) .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
return { token, tonumber(ARGV[2]), ARGV[1] }
