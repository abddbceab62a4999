-- held: what some processes hold of the jobs of all queues. Changes nothing.
-- ARGV  1 where to go on among the queues (0 at first)   then the processes
-- Returns the executions, as queue, member of rq:wip, ..., and where to go on ('0': that is all).
-- use: slice
local wanted, found = {}, {}
for at = 2, #ARGV do
  wanted[ARGV[at]] = true
end
local queues, after = slice(ARGV[1])
for _, queue in ipairs(queues) do
  -- pcall: a key that others spoilt must not keep the other queues' jobs.
  for _, member in ipairs(redis.pcall('ZRANGE', 'rq:wip:' .. queue, 0, -1)) do
    if wanted[string.match(member, ':([^:]+)%-%d+$')] then
      found[#found + 1] = queue
      found[#found + 1] = member
    end
  end
end
return { found, after }
