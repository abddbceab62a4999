-- ring: the clocks hear that something was edited. What the bell held does not matter.
local function ring(bell)
  if type(redis.pcall('INCR', bell)) == 'table' then
    redis.call('SET', bell, 1)
  end
end
