-- trim: entries of jobs that have expired leave the registries of queues.
-- ARGV  1 how many at most   then the queues
-- Returns how many left.
-- use: clock canceled
local now = seconds()
local room = tonumber(ARGV[1])
-- How long after its score an entry is of no use: a canceled one has the time of the cancel.
local AFTER = { finished = 0, failed = 0, canceled = 31536000 }

local function trim(registry, queue)
  local key = 'rq:' .. registry .. ':' .. queue
  -- From 0: RQ keeps -1 for what never expires.
  local until_then = string.format('%.17g', now - AFTER[registry])
  -- pcall: a key that others spoilt must not keep the other queues' entries.
  local expired = redis.pcall('ZRANGEBYSCORE', key, 0, until_then, 'LIMIT', 0, room)
  if #expired > 0 then
    if registry == 'canceled' then
      for _, id in ipairs(expired) do
        let_expire(id) -- nobody finds it once its entry is gone
      end
    end
    room = room - redis.call('ZREM', key, unpack(expired))
  end
end

for at = 2, #ARGV do
  for registry in pairs(AFTER) do
    if room > 0 then
      trim(registry, ARGV[at])
    end
  end
end
return tonumber(ARGV[1]) - room
