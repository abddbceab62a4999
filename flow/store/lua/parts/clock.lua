-- seconds: the server's time as a number with microseconds; the only clock that decides.
local function seconds()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end
