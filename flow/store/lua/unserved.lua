-- unserved: those of some queues that have jobs waiting and no live worker. Changes nothing.
-- ARGV  the queues
-- Returns their names.
-- use:
local lives, found = {}, {}

-- pcall: a key that others spoilt must not keep the rest from being seen.
local function is_served(queue)
  for _, key in ipairs(redis.pcall('SMEMBERS', 'rq:workers:' .. queue)) do
    if lives[key] == nil then
      lives[key] = redis.call('EXISTS', key) == 1
    end
    if lives[key] then
      return true
    end
  end
  return false
end

for _, queue in ipairs(ARGV) do
  local waiting = redis.pcall('LLEN', 'rq:queue:' .. queue)
  if type(waiting) == 'number' and waiting > 0 and not is_served(queue) then
    found[#found + 1] = queue
  end
end
return found
