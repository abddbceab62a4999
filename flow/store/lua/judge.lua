-- judge: an execution ends without its process, which was killed for it or never began it.
-- ARGV  1 worker name   2 why it was killed (timeout, stopped)   3 the packed call that tells
--       of its end   then its outcome, as settle.lua has it
-- Returns what the fence refused it for, or ''. A repeated call (its reply was lost) is known
-- by its instant, and answered again.
-- use: clock line limit push dependents keep canceled fence shown settle aftermath
local o = outcomes_from(4)[1]
let_go({ o })
if not o.held then
  local ended = redis.pcall('HGET', 'rq:job:' .. o.id, 'ended_at')
  if ended == o.iso then
    return ''
  end
end
local refused = settle(o, ARGV[1], seconds())
if not refused and wants_to_hear(o.id, ARGV[2]) then
  tell(o.queue, o.id, o.execution, ARGV[3], o.iso)
end
file_all()
return refused or ''
