-- is_orphan: are all the jobs gone that this one still waits for? Nobody would ever queue it.
local function is_orphan(id)
  local key, at, waits = 'rq:job::' .. id .. ':dependencies', '0', false
  repeat
    local slice = redis.call('SSCAN', key, at, 'COUNT', 20)
    at = slice[1]
    for _, parent in ipairs(slice[2]) do
      if redis.call('EXISTS', 'rq:job:' .. parent) == 1 then
        return false
      end
      waits = true
    end
  until at == '0'
  return waits
end
