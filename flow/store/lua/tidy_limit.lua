-- tidy_limit: what a rate limit keeps for jobs that are gone or have ended goes to the next.
-- ARGV  1 limit   2 now (ISO)   3 how many slots it looks at, at most
-- use: clock limit
local limit = ARGV[1]
local now = string.format('%.17g', seconds())
for _, id in ipairs(redis.call('ZRANGE', 'rq:rl:' .. limit .. ':allowed', 0, ARGV[3] - 1)) do
  -- One that was deleted while a worker of RQ's runs it keeps its slot until that has ended.
  if redis.call('ZCOUNT', 'rq:executions:' .. id, '(' .. now, '+inf') == 0 then
    free_slot(limit, id, ARGV[2])
  end
end
admit(limit, ARGV[2])
forget_limit(limit)
