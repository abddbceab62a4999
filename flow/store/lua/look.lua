-- look: how often each process has beaten, and who holds jobs without ever having. Changes
-- nothing; one call for what would be one for each queue.
-- KEYS  1 flow:beats   2 rq:queues
-- Returns the beats, as process, count, ... and those other processes.
-- use:
local beats = redis.call('HGETALL', KEYS[1])
local known, silent = {}, {}
for at = 1, #beats, 2 do
  known[beats[at]] = true
end
for _, key in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  -- pcall: a key that others spoilt must not keep the other queues' jobs.
  local members = redis.pcall('ZRANGE', 'rq:wip:' .. string.sub(key, 10), 0, -1)
  for _, member in ipairs(members) do
    -- RQ's own execution ids have no dash.
    local process = string.match(member, ':([^:]+)%-%d+$')
    if process and not known[process] then
      known[process] = true
      silent[#silent + 1] = process
    end
  end
end
return { beats, silent }
