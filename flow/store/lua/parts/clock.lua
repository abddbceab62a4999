-- seconds: the server's time as a number with microseconds; the only clock that decides.
local function seconds()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

-- whole: an instant in whole seconds, none of them lost, as RQ scores its registries. Its text is
-- kept: many jobs of a call share it, and a number with a fraction costs four times as much.
local instants = {}
local function whole(at)
  local text = instants[at]
  if not text then
    text = string.format('%.0f', math.ceil(at))
    instants[at] = text
  end
  return text
end
