-- unclaim: jobs that were claimed but never started go back to the head, uncounted.
-- ARGV  1 now (ISO)   then queue, job, execution of each, the first to run last
-- Returns the ids put back.
-- use: clock line limit push canceled fence
local back = {}
for at = 2, #ARGV, 3 do
  local queue, id, execution = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  if not fence(queue, id, execution) then
    push(queue, id, true, ARGV[1])
    back[#back + 1] = id
  end
end
return back
