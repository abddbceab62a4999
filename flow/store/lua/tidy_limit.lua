-- tidy_limit: what a rate limit keeps for jobs that are gone or have ended goes to the next.
-- ARGV  1 limit   2 now (ISO)   3 where to go on among its slots (0 at first)
--       4 how many slots it looks at, at most
-- Returns where to go on; 0 when it is through.
-- use: clock line limit
local limit, at, many = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4])
local now = string.format('%.17g', seconds())
local allowed = 'rq:rl:' .. limit .. ':allowed'
local ids = redis.call('ZRANGE', allowed, at, at + many - 1)
local after = at
for _, id in ipairs(ids) do
  -- One that was deleted while a worker of RQ's runs it keeps its slot until that has ended.
  if redis.call('ZCOUNT', 'rq:executions:' .. id, '(' .. now, '+inf') == 0 then
    free_slot(limit, id, ARGV[2])
  end
  if redis.call('ZSCORE', allowed, id) then
    after = after + 1 -- those that lost theirs are no more before the next one
  end
end
admit(limit, ARGV[2])
forget_limit(limit)
return #ids == many and after or 0
