-- owned: which of these executions still own their job. Changes nothing.
-- ARGV  queue, job, execution of each
-- Returns 1 or 0 for each.
-- use:
local answers = {}
for at = 1, #ARGV, 3 do
  local held = redis.call('ZSCORE', 'rq:wip:' .. ARGV[at], ARGV[at + 1] .. ':' .. ARGV[at + 2])
  local status = redis.pcall('HGET', 'rq:job:' .. ARGV[at + 1], 'status')
  answers[#answers + 1] = held and status == 'started' and 1 or 0
end
return answers
