-- discard: keys of jobs that are gone go, if they still are strays. From a waiting room only those
-- go who wait no more: the others are to be found if their parent comes again.
-- ARGV  1 how many leave a waiting room at most   then the keys
-- Returns how many keys are gone now.
-- use: stray
local gone = 0

local function leave(key)
  for _, child in ipairs(redis.call('SRANDMEMBER', key, ARGV[1])) do
    -- pcall: what is no hash is no job.
    if redis.pcall('HGET', 'rq:job:' .. child, 'status') ~= 'deferred' then
      redis.call('SREM', key, child)
    end
  end
end

for at = 2, #ARGV do
  local key = ARGV[at]
  if is_stray(key) then
    if redis.call('TYPE', key).ok == 'set' and string.sub(key, -11) == ':dependents' then
      leave(key)
    else
      redis.call('DEL', key)
    end
    gone = gone + 1 - redis.call('EXISTS', key)
  end
end
return gone
