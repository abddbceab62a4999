-- look: how often each process has beaten, and who holds jobs without ever having; one call for
-- what would be one for each queue. Changes nothing, and is a write all the same: a server that
-- refuses writes lets nobody beat, and who stands still then is not dead.
-- KEYS  1 flow:beats
-- ARGV  1 where to go on among the queues (0 at first)
-- Returns the beats, as process, count, ..., those other processes, and where to go on.
-- use: slice
redis.call('PERSIST', KEYS[1])
local beats = redis.call('HGETALL', KEYS[1])
local known, silent = {}, {}
for at = 1, #beats, 2 do
  known[beats[at]] = true
end
local queues, after = slice(ARGV[1])
for _, queue in ipairs(queues) do
  -- pcall: a key that others spoilt must not keep the other queues' jobs.
  local members = redis.pcall('ZRANGE', 'rq:wip:' .. queue, 0, -1)
  for _, member in ipairs(members) do
    -- RQ's own execution ids have no dash.
    local process = string.match(member, ':([^:]+)%-%d+$')
    if process and not known[process] then
      known[process] = true
      silent[#silent + 1] = process
    end
  end
end
return { beats, silent, after }
