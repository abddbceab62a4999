-- restore: schedules that have a next tick, and are not among those that come next, are so again.
-- They come at their cursor: who finds them due there waits for a jitter, and fires no tick twice.
-- KEYS  1 next   2 what every schedule's key begins with   3 ids
-- ARGV  the schedules that are looked at
-- Returns how many it put back, and how many ids there are more than come next.
-- use: number
local put_back = 0
for _, id in ipairs(ARGV) do
  if not redis.call('ZSCORE', KEYS[1], id) then
    -- pcall: a key of another type under this name must not hold up the others.
    local fields = redis.pcall('HMGET', KEYS[2] .. id, 'revision', 'cursor', 'paused', 'removed')
    if fields[1] and (fields[2] or '') ~= '' and not fields[3] and not fields[4] then
      redis.call('ZADD', KEYS[1], string.format('%.0f', number(fields[2])), id)
      put_back = put_back + 1
    end
  end
end
return { put_back, redis.call('HLEN', KEYS[3]) - redis.call('ZCARD', KEYS[1]) }
