-- slice: some of the queues that anybody used, and where to go on; '0': those were the last.
-- There may be a hundred thousand of them, and a script call stays short.
local QUEUES_AT_ONCE = 200

local function slice(at)
  local reply = redis.call('SSCAN', 'rq:queues', at, 'COUNT', QUEUES_AT_ONCE)
  local queues = {}
  for index, key in ipairs(reply[2]) do
    queues[index] = string.sub(key, 10) -- behind rq:queue:
  end
  return queues, reply[1]
end
